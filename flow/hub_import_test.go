package flow

import (
	"strings"
	"testing"

	"github.com/meshd/meshd/loop"
)

// hearer is an owner that remembers what was said last of offsets that were stepped over.
type hearer struct {
	mute
	said string
}

func (h *hearer) steppedOver(_ Spec, _, _ int64, why, hint string) { h.said = why + ": " + hint }

// What lies below an import's cut was left out on purpose: over a hub it is noted and said, but it is no loss, nor something that a policy
// decided. What a hub lacks for other reasons is both.
func TestAnImportsCutOverAHubIsNoLoss(t *testing.T) {
	for why, want := range map[loop.GapReason]GapCounts{
		loop.GapImport:    {},
		loop.GapRetention: {Copied: 40},
	} {
		t.Run(why.String(), func(t *testing.T) {
			h := &hearer{}
			p := loose(h)
			p.Identity, p.Origin, p.Source, p.OnGap = true, "us", "eu", "continue"
			p.sieve.prefix, p.sieve.origin = nil, 1
			p.sieve.judge = &loop.Judge{Source: 2, From: []bool{false, true}, Taken: loop.NewFrontiers(0)}
			end := loop.Coordinate{Epoch: 3, Offset: 40}
			p.sieve.behind(loop.Gaps{{From: loop.Start, To: end, Why: why}}, 1)
			p.atGap(loop.Start)
			if now := p.frontier(p.assigned); now != end || len(p.prog.Gaps) != 1 {
				t.Fatalf("%s, %s: the frontier is %s, behind gaps %v", p.state, p.reason, now, p.prog.Gaps)
			}
			if p.stats.Lacks != want || p.stats.GapRecords != want.Copied {
				t.Errorf("%d offsets are counted: %+v", p.stats.GapRecords, p.stats.Lacks)
			}
			if byPolicy := strings.Contains(h.said, "on_gap: stop"); h.said == "" || byPolicy != (want.Copied > 0) {
				t.Errorf("said was %q", h.said)
			}
		})
	}
}
