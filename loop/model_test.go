package loop

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

// whole says whether all of the model is to be run, which takes minutes (make model).
var whole = os.Getenv("MESHD_MODEL") != ""

// run is one seed of everything that may happen on a graph. It returns what is broken.
func run(g Graph, n int, seed uint64, r rules, lose bool) (w *world, wrong string) {
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	w = newWorld(g, n, r)
	for range 60 {
		w.event(rng, lose)
		for range rng.IntN(4) {
			if c, o := rng.IntN(n), rng.IntN(n); c != o {
				w.act(c, o)
			}
		}
		if wrong := w.wrong(false); wrong != "" {
			return w, wrong
		}
	}
	w.calm(rng)
	w.settle(rng)
	if wrong := w.wrong(false); wrong != "" {
		return w, wrong
	}
	w.bury()
	w.settle(rng)
	return w, w.wrong(!lose)
}

type kind struct {
	clusters           int
	directed, labelled bool
}

func (k kind) String() string {
	what := "undirected"
	if k.directed {
		what = "directed"
	}
	if k.labelled {
		what += ", labelled"
	}
	return fmt.Sprintf("%d clusters, %s", k.clusters, what)
}

// TestEverythingThatMayHappen runs seeds of events on every graph.
func TestEverythingThatMayHappen(t *testing.T) {
	seeds := uint64(3)
	if whole {
		seeds = 40
	}
	for _, k := range []kind{{2, true, whole}, {3, true, whole}, {4, true, whole}, {5, false, whole}} {
		var total Counters
		all, switches, gaps, records := graphs(k.clusters, k.directed, k.labelled), 0, 0, 0
		for i, g := range all {
			for seed := range seeds {
				seed := seed + uint64(i)*1000
				w, wrong := run(g, k.clusters, seed, rules{}, false)
				if wrong != "" {
					t.Fatalf("%s: graph %v, seed %d: %s\n%s", k, show(g), seed, wrong, w)
				}
				for _, s := range w.clusters {
					for o := range w.clusters {
						gaps += len(s.taken.Gaps(Origin(o), 0))
					}
				}
				for why, n := range w.counts {
					total[why] += n
				}
				switches, records = switches+w.switches, records+len(w.records)
			}
		}
		t.Logf("%s: %d graphs, %d seeds each: %d records; carried %d, stamped %d, copied headers %d, own %d, seen %d, other source %d; %d changes of source, %d gaps",
			k, len(all), seeds, records, total[Carried], total[Produced], total[CopiedHeader], total[Own], total[Seen], total[OtherSource], switches, gaps)
	}
}

func show(g Graph) (out []string) {
	for _, e := range g {
		out = append(out, e.String())
	}
	return out
}
