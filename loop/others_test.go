package loop

import (
	"slices"
	"testing"

	"github.com/meshd/meshd/topology"
)

// other is a rule that others go by: whether a destination takes a copy that came the given way (its clusters, from the origin to the
// source).
type other func(g Graph, way []topology.Alias, to topology.Alias) bool

// headerOnly refuses what was produced at the destination, as its header says.
func headerOnly(_ Graph, way []topology.Alias, to topology.Alias) bool { return way[0] != to }

// pathHeader refuses what has been at the destination, as its header says.
func pathHeader(_ Graph, way []topology.Alias, to topology.Alias) bool {
	return !slices.Contains(way, to)
}

// singleHop takes what was produced at the source.
func singleHop(_ Graph, way []topology.Alias, to topology.Alias) bool {
	return len(way) == 1 && way[0] != to
}

// linkState takes an origin's records from the next hop of the graph as it is believed to be now, and leaves out all others.
func linkState(g Graph, way []topology.Alias, to topology.Alias) bool {
	short := g.Ways(way[0])[to].Path
	return way[0] != to && len(short) > 1 && short[len(short)-2] == way[len(way)-1]
}

// spread is a record of a that goes over all links of a graph by another rule. Each link reads its source's log once, from the beginning on.
type spread struct {
	logs map[topology.Alias][][]topology.Alias // how each copy came
	next map[topology.Pair]int
}

func newSpread() *spread {
	return &spread{logs: map[topology.Alias][][]topology.Alias{"a": {{"a"}}}, next: map[topology.Pair]int{}}
}

const endless = 100

// run carries until nothing moves, or says that it does not end. What is believed can differ from what carries.
func (s *spread) run(links, believed Graph, rule other) (ends bool) {
	for moved := true; moved; {
		moved = false
		for _, e := range links {
			for log := s.logs[e.Source]; s.next[e.Pair] < len(log); moved = true {
				way := log[s.next[e.Pair]]
				s.next[e.Pair]++
				if rule(believed, way, e.Destination) {
					s.logs[e.Destination] = append(s.logs[e.Destination], append(slices.Clone(way), e.Destination))
				}
				if len(s.logs[e.Destination]) > endless {
					return false
				}
			}
		}
	}
	return true
}

// TestOtherRules runs the rules that others go by on every graph, as a control: the promises are not kept by luck.
func TestOtherRules(t *testing.T) {
	for _, c := range []struct {
		what                   string
		rule                   other
		loops, multiply, short bool
	}{
		{"a header that names the origin", headerOnly, true, true, false},
		{"a header that names the way", pathHeader, false, true, false},
		{"a single hop", singleHop, false, false, true},
		{"the state of links", linkState, false, false, false}, // while it does not change
	} {
		loops, multiply, short, all := 0, 0, 0, 0
		for _, k := range []kind{{2, true, false}, {3, true, false}, {4, true, false}, {5, false, false}} {
			for _, g := range graphs(k.clusters, k.directed, whole) {
				all++
				s := newSpread()
				ends := s.run(g, g, c.rule)
				most, missing := 0, 0
				for to := range g.Ways("a") {
					if n := len(s.logs[to]); to != "a" {
						most = max(most, n)
						missing += max(0, 1-n)
					}
				}
				loops += one(!ends)
				multiply += one(ends && most > 1)
				short += one(missing > 0)
			}
		}
		t.Logf("%-31s of %d graphs: endless on %d, several copies on %d, not delivered on %d", c.what, all, loops, multiply, short)
		if (loops > 0) != c.loops || (multiply > 0) != c.multiply || (short > 0) != c.short {
			t.Errorf("%s: want endless %v, several copies %v, not delivered %v", c.what, c.loops, c.multiply, c.short)
		}
	}
	for n, want := range map[int]int{3: 2, 4: 5, 5: 16} {
		s := newSpread()
		if s.run(mesh(n), nil, pathHeader); len(s.logs["b"]) != want {
			t.Errorf("a header that names the way, full mesh of %d: %d copies, want %d", n, len(s.logs["b"]), want)
		}
	}
	if s := newSpread(); !s.run(star(4), nil, singleHop) || len(s.logs["a"]) != 1 || len(s.logs["b"]) != 1 {
		t.Error("a single hop over a hub: its own records arrive")
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestLinkStateChanges cuts each link before it carried, when all others have.
func TestLinkStateChanges(t *testing.T) {
	lost, twice, all := 0, 0, 0
	for _, g := range graphs(4, true, whole) {
		for i, e := range g {
			rest := slices.Delete(slices.Clone(g), i, i+1)
			if _, ok := rest.Ways("a")[e.Destination]; !ok {
				continue
			}
			all++
			s := newSpread()
			s.run(rest, g, linkState)    // the link is slow, and believed to be there
			s.run(rest, rest, linkState) // and is known to be cut
			lost += one(len(s.logs[e.Destination]) == 0)
			s = newSpread()
			s.run(g, g, linkState)
			clear(s.next) // a new source is read from its beginning
			s.run(rest, rest, linkState)
			for _, log := range s.logs {
				if len(log) > 1 {
					twice++
					break
				}
			}
		}
	}
	t.Logf("a link is cut, %d times: %d lose a record, and %d have one twice where new sources are read from their beginning", all, lost, twice)
	if lost == 0 || twice == 0 {
		t.Error("the state of links decides well")
	}
}
