package loop

import (
	"math/rand/v2"
	"testing"
)

// TestSeveralTopics has two topics on two graphs, and applications that copy records, headers and all, from one into the other, at the
// same cluster and elsewhere: coordinates of one topic say nothing in the other.
func TestSeveralTopics(t *testing.T) {
	seeds := uint64(1)
	if whole {
		seeds = 20
	}
	var all tally
	for n := 2; n <= 4; n++ {
		every := graphs(n, true, false)
		for i, g := range every {
			for seed := range seeds {
				rng := rand.New(rand.NewPCG(seed+uint64(i)*1000, uint64(n)))
				pair := [2]*world{newWorld(g, n, rules{}), newWorld(every[rng.IntN(len(every))], n, rules{})}
				pair[1].topic = "u"
				for k, wrong := range liveTogether(pair, rng) {
					if w := pair[k]; wrong != "" || w.counts[LostRegistry] > 0 {
						t.Fatalf("graph %v, seed %d, topic %s: %s, %d times registry lost\n%s", show(w.graph), seed, w.topic, wrong, w.counts[LostRegistry], w)
					}
					all.add(pair[k])
				}
			}
		}
	}
	if t.Log(all); all.counts[CopiedHeader] == 0 {
		t.Error("nothing was copied from one topic into the other")
	}
}

func liveTogether(pair [2]*world, rng *rand.Rand) (wrong [2]string) {
	for range 60 {
		for k, w := range pair {
			if wrong[k] = w.some(rng, false); wrong[k] != "" {
				return wrong
			}
		}
		copyAcross(pair[rng.IntN(2)], pair[rng.IntN(2)], rng)
	}
	for k, w := range pair {
		wrong[k] = w.finish(rng, false)
	}
	return wrong
}

func copyAcross(from, to *world, rng *rand.Rand) {
	s, d := from.clusters[rng.IntN(len(from.clusters))], to.clusters[rng.IntN(len(to.clusters))]
	if from == to || s.down || d.down || len(s.log) == s.start || len(to.records) >= 24 {
		return
	}
	if e := s.log[s.start+rng.IntN(len(s.log)-s.start)]; e.header != nil {
		to.produce(d.number, e.header)
	}
}
