package sim

import (
	"strings"
	"testing"
)

// TestRulesAreNeeded takes one rule away at a time: some seed must find it.
func TestRulesAreNeeded(t *testing.T) {
	for _, c := range []struct {
		taken rule
		want  string // how the fault begins; several
	}{
		{trustHeaders, "P2"},
		{noBarrier, "P1 P2"},
		{suppressedAdvances, "P2"},
		{offsetOnly, "P2"},
		{singleHop, "P2"},
		{progressFrontierLost, "P2"},
		{gapNotNoted, "P2"},
		{registryLossIgnored, "P1 P2"},
		{staleGaps, "P2"},
		{noCatchUp, "P2"},
	} {
		wrong, seed := "", uint64(1)
		for ; seed <= 300; seed++ {
			if _, wrong = run(seed, *steps, nil, c.taken); wrong != "" && strings.Contains(c.want, strings.TrimSuffix(kindOf(wrong), ":")) {
				break
			}
		}
		if wrong == "" {
			t.Errorf("%s: not found", c.taken)
			continue
		}
		t.Logf("%-75s seed %d: %.110s", c.taken, seed, wrong)
	}
}
