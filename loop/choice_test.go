package loop

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meshd/meshd/topology"
)

// at is a view of neighbours x (nearest), y and z (farthest) with their frontiers' offsets; -1: can't be reached.
func at(here int64, offsets ...int64) View {
	v := View{Here: []Coordinate{{Offset: here}}}
	for i, o := range offsets {
		c := Coordinate{Offset: max(o, 0)}
		v.Neighbours = append(v.Neighbours, Neighbour{Cluster: topology.Alias(string(rune('x' + i))), Cost: i + 1, Reachable: o >= 0, Offers: []Offer{{Frontier: c, Until: c}}})
	}
	return v
}

func TestChoose(t *testing.T) {
	type step struct {
		after time.Duration
		v     View
		want  topology.Alias
		why   Reason
	}
	s := time.Second
	gone := at(0, 5, 9)
	for i := range gone.Neighbours {
		gone.Neighbours[i].Cost = None
	}
	var stream []step
	for i := range int64(60) { // x is always a little behind, and moves on
		stream = append(stream, step{s, at(100*i, 100*i+50, 100*i+90), "x", Nearest})
	}
	var flapping []step
	for range 10 {
		flapping = append(flapping, step{s, at(0, -1, 0), "y", Unreachable}, step{s, at(0, 0, 0), "y", LeftBehind})
	}
	var stuck []step
	for range 5 {
		stuck = append(stuck, step{s, at(5, -1, 5), "y", Unreachable}, step{s, at(5, 9, 5), "y", LeftBehind})
	}
	for what, steps := range map[string][]step{
		"nearest":                                            {{0, at(0, 5, 5), "x", Nearest}},
		"can't be reached, and back":                         {{0, at(0, 5, 5), "x", Nearest}, {s, at(0, -1, 5), "y", Unreachable}, {s, at(0, 5, 5), "y", LeftBehind}, {9 * s, at(0, 5, 5), "y", LeftBehind}, {s, at(0, 5, 5), "x", Nearest}},
		"behind for ten seconds":                             {{0, at(0, 5, 9), "x", Nearest}, {9 * s, at(5, 5, 9), "x", Nearest}, {s, at(5, 5, 9), "y", LeftBehind}, {s, at(9, 5, 9), "y", LeftBehind}},
		"behind with what is here":                           {{0, at(9, 5, 9), "x", Nearest}, {20 * s, at(9, 5, 9), "x", Nearest}},
		"the one furthest ahead":                             {{0, at(0, -1, 0, 7), "y", Unreachable}, {10 * s, at(0, -1, 0, 7), "z", Unreachable}},
		"nobody":                                             {{0, at(0, -1, -1), "", Nobody}},
		"an origin that is gone":                             {{0, gone, "y", OnlyHolder}},
		"a stream that moves on":                             stream,
		"a link that comes and goes":                         flapping,
		"back, and nothing else comes":                       {{0, at(5, 5, 5), "x", Nearest}, {s, at(5, -1, 5), "y", Unreachable}, {s, at(5, 7, 5), "y", LeftBehind}, {s, at(5, 8, 5), "y", LeftBehind}, {s, at(5, 9, 5), "x", Nearest}, {s, at(9, 9, 5), "x", Nearest}, {s, at(9, 9, 9), "x", Nearest}},
		"back, and what is in use goes on":                   {{0, at(5, -1, 5), "y", Unreachable}, {s, at(5, 9, 5), "y", LeftBehind}, {s, at(9, 15, 9), "y", LeftBehind}, {s, at(9, 19, 15), "y", LeftBehind}, {s, at(15, 25, 19), "y", LeftBehind}, {s, at(19, 25, 25), "y", LeftBehind}},
		"a link that comes and goes, and nothing else comes": stuck,
	} {
		var c Choice
		now := time.Unix(0, 0)
		for i, st := range steps {
			now = now.Add(st.after)
			if c = Choose(c, st.v, now); c.Source != st.want || c.Why != st.why {
				t.Errorf("%s, step %d: %q, %s; want %q, %s", what, i, c.Source, c.Why, st.want, st.why)
			}
		}
	}
}

// TestGapsThatNobodyFills decides about a gap only when no neighbour has what is in it.
func TestGapsThatNobodyFills(t *testing.T) {
	v := at(3, 9, 3)
	v.Neighbours[0].Offers[0] = MakeOffer(v.Here[0], Coordinate{Offset: 9}, Coordinate{Offset: 6}, nil)
	now := time.Unix(0, 0)
	c := Choose(Choice{}, v, now)
	if g := c.Gaps(v, now); len(g) > 0 {
		t.Errorf("decided at once: %v", g)
	}
	now = now.Add(Patience)
	c = Choose(c, v, now)
	if g := c.Gaps(v, now); g[0] != (Gap{Coordinate{Offset: 3}, Coordinate{Offset: 6}, GapCopied}) {
		t.Errorf("gap %v", g)
	}
	v.Neighbours[1].Offers[0].Until, v.Neighbours[1].Reachable = Coordinate{Offset: 5}, false
	if c = Choose(c, v, now.Add(Patience)); len(c.Gaps(v, now.Add(2*Patience))) > 0 {
		t.Error("a neighbour that can't be reached has it")
	}
}

func TestMakeOffer(t *testing.T) {
	o := func(n int64) Coordinate { return Coordinate{Offset: n} }
	gaps := Gaps{{o(5), o(8), GapTooLarge}}
	for _, c := range []struct {
		here, frontier, first int64
		until, resume         int64
	}{
		{0, 20, 0, 5, 8}, {6, 20, 0, 6, 8}, {8, 20, 0, 20, 0}, {9, 20, 4, 20, 0}, {2, 20, 4, 2, 4}, {9, 9, 30, 9, 9},
	} {
		got := MakeOffer(o(c.here), o(c.frontier), o(c.first), gaps)
		if got.Until != o(c.until) || got.Resume != o(c.resume) || got.Frontier != o(c.frontier) {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

// TestAllIsHad lets a destination take partitions from neighbours of which each may hold what others lack: in the end it has all that any
// of them had, and it did not change its source more often than every ten seconds.
func TestAllIsHad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const partitions = 4
		v := View{Here: begin(partitions)}
		most := begin(partitions)
		for i := range rapid.IntRange(1, 4).Draw(t, "neighbours") {
			n := Neighbour{Cluster: topology.Alias(string(rune('a' + i))), Cost: rapid.SampledFrom([]int{None, 1, 2, 3}).Draw(t, "cost"), Reachable: rapid.IntRange(0, 3).Draw(t, "reachable") > 0}
			for p := range partitions {
				c := Coordinate{Offset: rapid.Int64Range(0, 5).Draw(t, "offset")}
				n.Offers = append(n.Offers, Offer{Frontier: c, Until: c})
				if n.Reachable {
					most[p] = highest(most[p], c)
				}
			}
			v.Neighbours = append(v.Neighbours, n)
		}
		var c Choice
		now, switches := time.Unix(0, 0), 0
		for range 120 {
			was := c.Source
			if c = Choose(c, v, now); was != "" && c.Source != was {
				switches++
			}
			for p := range partitions {
				for i, n := range v.Neighbours {
					if n.Cluster == c.Source {
						v.Here[p] = highest(v.Here[p], v.until(i, p))
					}
				}
			}
			now = now.Add(time.Second)
		}
		for p := range partitions {
			if v.Here[p] != most[p] {
				t.Fatalf("partition %d: %s, want %s", p, v.Here[p], most[p])
			}
		}
		if switches > 2*len(v.Neighbours) {
			t.Fatalf("%d changes of source", switches)
		}
	})
}
