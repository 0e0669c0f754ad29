package sim

import (
	"strings"
	"testing"
)

// TestRulesAreNeeded takes one rule away at a time: some seed must find it. The search begins with one that did.
// For hubEpochUnasked no seed is known.
func TestRulesAreNeeded(t *testing.T) {
	for _, c := range []struct {
		taken rule
		seed  uint64
		want  string // what the fault begins with, one of several
	}{
		{trustHeaders, 1, "P2"},
		{noBarrier, 1, "P1 P2"},
		{suppressedAdvances, 1, "P2"},
		{offsetOnly, 1, "P2"},
		{singleHop, 1, "P2"},
		{progressFrontierLost, 1, "P2"},
		{gapNotNoted, 6, "P2"},
		{registryLossIgnored, 6, "P1 P2"},
		{staleGaps, 44, "P2"},
		{noCatchUp, 59, "P2"},
		{gapBeginUnseen, 56, "P2"},
		{samePart, 32, "P2"},
		{frontierAhead, 120, "P2"},
		{epochUnnoted, 1, "P2"},
		{epochUnasked, 3525, "P2"},
		{waitedNotFetched, 3980, "P2"},
		{nullIsEmpty, 1, "P3"},
		{mapHoles, 1, "P4"},
		{nothingCut, 105, "P2"},
		{truncationMiss, 172, "P2"},
		{placeByOffset, 175, "P2"},
		{goneUnmapped, 5370, "P2"},
		{zombieUnread, 8399, "P2"},
		{newerFenced, 7460, "it"},
	} {
		seed, wrong := find(c.taken, c.seed, c.want)
		if wrong == "" {
			t.Errorf("%s: not found", c.taken)
			continue
		}
		t.Logf("%-75s seed %d: %.110s", c.taken, seed, wrong)
	}
}

const tries = 2000

func find(taken rule, from uint64, want string) (seed uint64, wrong string) {
	for seed = from; seed < from+tries; seed++ {
		if _, wrong = run(seed, *steps, nil, taken); wrong != "" && strings.Contains(want, strings.TrimSuffix(kindOf(wrong), ":")) {
			return seed, wrong
		}
	}
	return 0, ""
}
