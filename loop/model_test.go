package loop

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// whole says whether all of the model is to be run, which takes minutes (make model).
var whole = os.Getenv("MESHD_MODEL") != ""

// run is one seed of everything that may happen on a graph. It returns what is broken.
func run(g Graph, n int, seed uint64, r rules, lose bool) (w *world, wrong string) {
	w = newWorld(g, n, r)
	return w, w.live(rand.New(rand.NewPCG(seed, uint64(n))), lose)
}

// live is a run from the beginning to the end.
func (w *world) live(rng *rand.Rand, lose bool) (wrong string) {
	for range 60 {
		if wrong := w.some(rng, lose); wrong != "" {
			return wrong
		}
	}
	return w.finish(rng, lose)
}

// some is an event and a few deliveries.
func (w *world) some(rng *rand.Rand, lose bool) (wrong string) {
	n := len(w.clusters)
	w.event(rng, lose)
	for range rng.IntN(4) {
		if c, o := rng.IntN(n), rng.IntN(n); c != o {
			w.act(c, o)
		}
	}
	return w.wrong(false)
}

// finish heals everything but what is lost for ever, and waits.
func (w *world) finish(rng *rand.Rand, lose bool) (wrong string) {
	w.calm(rng)
	w.settle(rng)
	if wrong := w.wrong(false); wrong != "" {
		return wrong
	}
	w.bury()
	w.settle(rng)
	return w.wrong(!lose)
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

// TestEverythingThatMayHappen runs seeds of events on every graph, and the first of each graph twice.
func TestEverythingThatMayHappen(t *testing.T) {
	for _, k := range []struct {
		kind
		seeds, more uint64
	}{{kind{2, true, whole}, 20, 2000}, {kind{3, true, whole}, 6, 400}, {kind{4, true, whole}, 2, 6}, {kind{5, false, whole}, 3, 10}} {
		if whole {
			k.seeds = k.more
		}
		var all tally
		for i, g := range graphs(k.clusters, k.directed, k.labelled) {
			all.graphs++
			for seed := range k.seeds {
				seed := seed + uint64(i)*10_000
				w, wrong := run(g, k.clusters, seed, rules{}, false)
				if wrong != "" {
					t.Fatalf("%s: graph %v, seed %d: %s\n%s", k.kind, show(g), seed, wrong, w)
				}
				if seed%10_000 == 0 {
					if again, _ := run(g, k.clusters, seed, rules{}, false); again.String() != w.String() {
						t.Fatalf("%s: graph %v, seed %d: another run\n%s\n%s", k.kind, show(g), seed, w, again)
					}
				}
				all.add(w)
			}
		}
		t.Logf("%s: %d graphs, %d seeds each: %s", k.kind, all.graphs, k.seeds, all)
	}
}

type tally struct {
	graphs, records, switches, gaps int
	counts                          Counters
}

func (a *tally) add(w *world) {
	for _, s := range w.clusters {
		for o := range w.clusters {
			a.gaps += len(s.taken.Gaps(Origin(o), part(s.number)))
		}
	}
	for why, n := range w.counts {
		a.counts[why] += n
	}
	a.switches, a.records = a.switches+w.switches, a.records+len(w.records)
}

func (a tally) String() string {
	return fmt.Sprintf("%d records; stamped %d, carried %d, copied headers %d, own %d, seen %d, other source %d; %d changes of source, %d gaps",
		a.records, a.counts[Produced], a.counts[Carried], a.counts[CopiedHeader], a.counts[Own], a.counts[Seen], a.counts[OtherSource], a.switches, a.gaps)
}

func show(g Graph) (out []string) {
	for _, e := range g {
		out = append(out, e.String())
	}
	return out
}

// TestEachRuleIsNeeded takes one rule away at a time: each time the model finds what it was for.
func TestEachRuleIsNeeded(t *testing.T) {
	for _, c := range []struct {
		what string
		r    rules
		lose bool
		want string // how the counterexample begins
	}{
		{"1: a header counts whoever wrote it", rules{trustHeaders: true}, false, "lost"},
		{"1: an unknown id is an application's, without a barrier", rules{noBarrier: true, blindMap: true}, false, "twice loop"},
		{"1: the source's own map is not asked, and the registry is lost", rules{blindMap: true}, true, "twice loop order"},
		{"2: no frontier", rules{noFrontier: true}, false, "twice"},
		{"2: coordinates without incarnation", rules{noIncarnation: true}, false, "lost"},
		{"2: coordinates without leader epoch", rules{noEpoch: true}, false, "lost"},
		{"2: what is left out counts as delivered", rules{seenAdvances: true}, false, "lost"},
		{"3: every link writes by itself", rules{linkFrontiers: true}, false, "twice"},
		{"3: one source for ever", rules{fixedSource: true}, false, "lost"},
		{"4: a source's gaps are not read", rules{noGaps: true}, false, "lost"},
		{"4: a lost registry is taken for a new one", rules{lostIgnored: true, blindMap: true}, true, "twice loop"},
		{"Kafka's fence, on which these stand: a zombie writes", rules{unfenced: true}, false, "twice"},
	} {
		w, g, seed, wrong := counterexample(c.r, c.lose, c.want)
		if wrong == "" {
			t.Errorf("%s: nothing found, want %s\n%s", c.what, c.want, w)
			continue
		}
		t.Logf("%-62s %s (graph %v, seed %d)", c.what, wrong, show(g), seed)
	}
}

func begins(wrong, want string) bool {
	for x := range strings.FieldsSeq(want) {
		if strings.HasPrefix(wrong, x) {
			return true
		}
	}
	return false
}

// counterexample looks for the smallest graph on which something breaks.
func counterexample(r rules, lose bool, want string) (w *world, g Graph, seed uint64, wrong string) {
	for n := 2; n <= 4; n++ {
		for seed := range uint64(30) {
			for _, g := range graphs(n, true, false) {
				if w, wrong = run(g, n, seed, r, lose); begins(wrong, want) {
					return w, g, seed, wrong
				}
			}
		}
	}
	return w, g, 0, ""
}

// TestRegistriesLost loses registries too: links stop, and nothing is copied on a guess.
func TestRegistriesLost(t *testing.T) {
	seeds, stopped := uint64(1), int64(0)
	if whole {
		seeds = 40
	}
	for n := 2; n <= 4; n++ {
		for i, g := range graphs(n, true, false) {
			for seed := range seeds {
				w, wrong := runWander(g, n, seed+uint64(i)*1000, rules{}, true)
				if wrong != "" {
					t.Fatalf("graph %v, seed %d: %s\n%s", show(g), seed+uint64(i)*1000, wrong, w)
				}
				stopped += w.counts[LostRegistry]
			}
		}
	}
	if stopped == 0 {
		t.Error("no link stopped")
	}
	t.Logf("%d records stopped at", stopped)
}

// TestCopiesFromElsewhere has applications that read at one cluster and write at another, with the headers that they read.
func TestCopiesFromElsewhere(t *testing.T) {
	seeds := uint64(1)
	if whole {
		seeds = 40
	}
	var all tally
	stopped, waiting := int64(0), 0
	for n := 2; n <= 4; n++ {
		for i, g := range graphs(n, true, false) {
			for seed := range seeds {
				seed += uint64(i) * 1000
				w, wrong := runWander(g, n, seed, rules{}, false)
				if wrong != "" || w.counts[LostRegistry] > 0 {
					t.Fatalf("graph %v, seed %d: %s, %d times registry lost\n%s", show(g), seed, wrong, w.counts[LostRegistry], w)
				}
				all.add(w)
				if w, wrong = runWander(g, n, seed, rules{coordinates: true}, false); wrong != "" {
					waiting++
				}
				stopped += w.counts[LostRegistry]
			}
		}
	}
	t.Log(all)
	t.Logf("asked for coordinates: registry taken for lost %d times, %d runs that wait without end or lose", stopped, waiting)
	if stopped == 0 || waiting == 0 {
		t.Error("no copy came before its original, or without it")
	}
}

func runWander(g Graph, n int, seed uint64, r rules, lose bool) (*world, string) {
	w := newWorld(g, n, r)
	w.wander = true
	return w, w.live(rand.New(rand.NewPCG(seed, uint64(n))), lose)
}

// TestPairs has two clusters with provenance batch, where nothing but the barrier tells who wrote.
func TestPairs(t *testing.T) {
	var all tally
	found := ""
	for _, g := range graphs(2, true, false) {
		for seed := range uint64(100) {
			w, wrong := runPair(g, seed, rules{})
			if wrong != "" {
				t.Fatalf("graph %v, seed %d: %s\n%s", show(g), seed, wrong, w)
			}
			all.add(w)
			if found == "" {
				_, found = runPair(g, seed, rules{noBarrier: true})
			}
		}
	}
	t.Log(all)
	t.Logf("without the barrier: %s", found)
	if !begins(found, "loop") {
		t.Error("the barrier is not needed")
	}
}

func runPair(g Graph, seed uint64, r rules) (*world, string) {
	w := newWorld(g, 2, r)
	w.batches = true
	return w, w.live(rand.New(rand.NewPCG(seed, 2)), false)
}
