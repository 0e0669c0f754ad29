package loop

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// loseProgress is a crash after which nothing is known but the log, as far as it is still there. Each jump in it may have been a gap; where
// nothing is left of an origin, nobody knows where its writer stood, and it does not go on.
func (w *world) loseProgress(s *site) {
	w.say("%s: progress lost", s.alias)
	s.old = &owner{s.taken, s.readers, s.choices, s.views, s.read, s.born}
	s.born++
	s.forget()
	for o := range w.clusters {
		if o == s.number {
			continue
		}
		next, gaps := s.rebuilt(o)
		s.lost[o] = s.lost[o] || next == Start && s.start > 0
		s.taken.Restore(Origin(o), part(s.number), next, gaps)
	}
	s.readers, s.views, s.read, s.choices = map[readerKey]*reader{}, map[int]*Writers{}, maps.Clone(s.read), make([]Choice, len(w.clusters))
}

func (s *site) rebuilt(o int) (next Coordinate, gaps Gaps) {
	next = Start
	for _, e := range s.log[s.start:] {
		if s.holds(e, o) {
			if e.at != next && e.at != (Coordinate{}) {
				gaps = gaps.Add(Gap{From: next, To: e.at, Why: GapUnknown})
			}
			next = e.at.Next()
		}
	}
	return next, gaps
}

// TestProgressLost loses what was noted of frontiers and gaps: what is there is not copied again, and nothing is left out in silence.
func TestProgressLost(t *testing.T) {
	seeds, found := uint64(2), 0
	if whole {
		seeds = 40
	}
	var all tally
	for n := 2; n <= 4; n++ {
		for i, g := range graphs(n, true, false) {
			for seed := range seeds {
				seed += uint64(i) * 1000
				w, wrong := runForgetful(g, n, seed, rules{})
				if wrong != "" {
					t.Fatalf("graph %v, seed %d: %s\n%s", show(g), seed, wrong, w)
				}
				all.add(w)
				if _, wrong = runForgetful(g, n, seed, rules{noGaps: true}); begins(wrong, "lost") {
					found++
				}
			}
		}
	}
	t.Log(all)
	if t.Logf("where jumps are not taken for gaps: %d runs lose", found); found == 0 {
		t.Error("no run lost a note of a gap that mattered")
	}
}

func runForgetful(g Graph, n int, seed uint64, r rules) (*world, string) {
	w := newWorld(g, n, r)
	w.forgets = true
	return w, w.live(rand.New(rand.NewPCG(seed, uint64(n))), false)
}
