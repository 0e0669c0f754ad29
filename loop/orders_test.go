package loop

import (
	"cmp"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// orders explores deliveries in every order, each origin taken from any neighbour at any time. A state is what the logs hold, for all else
// follows from them: frontiers, as a writer that died finds them, and registries.
type orders struct {
	graph  Graph
	n      int
	own    int  // records that each cluster produces, at the beginning
	copies bool // an application at the first cluster copies, once, the first record that it finds stamped
	rules  rules
	coarse bool // logs are alike that have the same of each origin, however it is mixed: what is taken of one origin is judged by that alone
	seen   map[string]bool
	steps  int
	broken string
	at     *world
}

func (x *orders) begin() *world {
	w := newWorld(x.graph, x.n, x.rules)
	for c := range x.n {
		for range x.own {
			w.produce(c, nil)
		}
	}
	return w
}

// key is the state.
func (w *world) key(coarse bool) string {
	var b []byte
	for _, s := range w.clusters {
		log := s.log
		if coarse {
			log = slices.Clone(log)
			slices.SortStableFunc(log, func(x, y entry) int { return cmp.Compare(w.records[x.record].origin, w.records[y.record].origin) })
		}
		for _, e := range log {
			b = binary.AppendUvarint(b, uint64(e.record)*2+uint64(min(1, e.by/1000))+1)
		}
		b = append(b, 0)
	}
	return string(b)
}

// with is the same world with one entry more at c.
func (w *world) with(c int) *world {
	y := *w
	y.clusters = append([]*site(nil), w.clusters...)
	s := *w.clusters[c]
	s.log = slices.Clip(s.log)
	s.taken, s.registered = newFrontiers(c), map[int64]Origin{} // recover makes them anew
	y.clusters[c], y.trace = &s, nil
	y.records = slices.Clip(w.records)
	return &y
}

// recover makes of the logs what a writer finds.
func (w *world) recover() {
	for c, s := range w.clusters {
		y := *s
		w.clusters[c] = &y
		y.taken, y.views, y.registered = newFrontiers(c), map[int]*Writers{}, map[int64]Origin{}
		y.covered = map[int]int{}
		for o := range w.clusters {
			y.covered[o] = len(y.log)
		}
		for _, e := range y.log {
			if e.by >= 1000 {
				y.registered[e.by] = Origin(e.by % 1000)
				y.taken.Advance(Origin(e.by%1000), part(c), e.at)
			}
		}
	}
}

// next returns the worlds that one delivery, or the application, leads to.
func (x *orders) next(w *world) (out []*world) {
	w.recover()
	for _, e := range x.graph {
		c, s := int(e.Destination[0]-'a'), int(e.Source[0]-'a')
		for o := range x.n {
			if o == c {
				continue
			}
			if y := x.take(w, c, o, s); y != nil {
				out = append(out, y)
			}
		}
	}
	if x.copies && len(w.records) == x.n*x.own {
		for _, e := range w.clusters[0].log {
			if e.header != nil {
				y := w.with(0)
				y.produce(0, e.header)
				return append(out, y)
			}
		}
	}
	return out
}

// take is one delivery.
func (x *orders) take(w *world, c, o, s int) *world {
	j := w.judge(c, o, s)
	w.refresh(c, s)
	w.tick += 2
	j.Writers.ReadSince(w.tick)
	for i, e := range w.clusters[s].log {
		switch r := w.verdict(j, e, i, w.tick-1); r.Act {
		case Deliver, Stamp:
			y := w.with(c)
			y.deliver(c, o, s, e, r)
			return y
		case Wait, Stop:
			x.broken, x.at = "stopped: "+r.Why.String(), w
			return nil
		default:
		}
	}
	return nil
}

// explore goes through all states, up to a number of them; it says whether it saw all.
func (x *orders) explore(budget int) bool {
	x.seen = map[string]bool{}
	for open := []*world{x.begin()}; len(open) > 0 && x.broken == ""; {
		w := open[len(open)-1]
		open = open[:len(open)-1]
		k := w.key(x.coarse)
		if x.seen[k] {
			continue
		}
		if len(x.seen) >= budget {
			return false
		}
		x.seen[k] = true
		x.check(w, func(y *world) { open = append(open, y) })
	}
	return true
}

// check looks at a state, and gives out those that follow.
func (x *orders) check(w *world, follow func(*world)) {
	all := x.next(w)
	x.steps += len(all)
	if wrong := w.wrong(len(all) == 0); wrong != "" {
		x.broken, x.at = wrong, w
	}
	for _, y := range all {
		follow(y)
	}
}

// sample goes through some orders from the beginning to the end.
func (x *orders) sample(walks int, rng *rand.Rand) {
	for ; walks > 0 && x.broken == ""; walks-- {
		for w := x.begin(); w != nil && x.broken == ""; {
			var all []*world
			x.check(w, func(y *world) { all = append(all, y) })
			if w = nil; len(all) > 0 {
				w = all[rng.IntN(len(all))]
			}
		}
	}
}

// coarsest is how many states may be looked at where logs that are mixed otherwise are alike.
const coarsest = 2_000_000

// TestEveryOrder takes every order of deliveries on every graph where that is possible, else a sample.
func TestEveryOrder(t *testing.T) {
	budget, walks := 200, 1
	if whole {
		budget, walks = 70_000, 100
	}
	for _, k := range []struct {
		kind
		own    int
		copies bool
	}{
		{kind{2, true, false}, 3, true},
		{kind{3, true, false}, 1, true},
		{kind{3, true, false}, 2, false},
		{kind{4, true, false}, 1, false},
		{kind{4, true, false}, 1, true},
		{kind{5, false, false}, 1, true},
	} {
		states, steps, full, mixed := 0, 0, 0, 0
		all := graphs(k.clusters, k.directed, k.labelled)
		for i, g := range all {
			x := &orders{graph: g, n: k.clusters, own: k.own, copies: k.copies}
			if k.clusters < 5 && x.explore(max(budget, 10_000*(4-k.clusters))) {
				full++
			} else {
				x.sample(walks, rand.New(rand.NewPCG(uint64(i), 5)))
				if x.coarse = true; x.broken == "" && whole && x.explore(coarsest) {
					mixed++
				}
			}
			if x.broken != "" {
				t.Fatalf("%s: graph %v: %s\n%s", k.kind, show(g), x.broken, x.at)
			}
			states, steps = states+len(x.seen), steps+x.steps
		}
		t.Logf("%s, %d records each, an application that copies: %v: %d graphs, %d of them in every order, %d more but for how origins are mixed in a log; %d states, %d deliveries",
			k.kind, k.own, k.copies, len(all), full, mixed, states, steps)
	}
}

// TestOrdersFindWhatIsWrong takes rules away from the exploration, too.
func TestOrdersFindWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		g    Graph
		n    int
		r    rules
		want string
	}{
		{mesh(2), 2, rules{trustHeaders: true}, "lost"},
		{mesh(3), 3, rules{noFrontier: true}, "twice"},
	} {
		x := &orders{graph: c.g, n: c.n, own: 2, copies: true, rules: c.r}
		if x.explore(20_000); !begins(x.broken, c.want) {
			t.Errorf("%+v: %q, want %s", c.r, x.broken, c.want)
		} else {
			t.Logf("%s after %d states", x.broken, len(x.seen))
		}
	}
}
