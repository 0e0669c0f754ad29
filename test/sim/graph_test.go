package sim

import (
	"math/rand/v2"
	"slices"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

func edge(s, d, cost int) loop.Edge {
	return loop.Edge{Pair: topology.Pair{Source: name(s), Destination: name(d)}, Cost: cost, Naming: "identity"}
}

// shapes are the graphs that people build; each returns the directed pairs of n clusters.
var shapes = []struct {
	name  string
	pairs func(n int, rng *rand.Rand) [][2]int
}{
	{"mesh", func(n int, _ *rand.Rand) (out [][2]int) {
		for s := range n {
			for d := range n {
				if s != d {
					out = append(out, [2]int{s, d})
				}
			}
		}
		return out
	}},
	{"hub", func(n int, _ *rand.Rand) (out [][2]int) {
		for i := 1; i < n; i++ {
			out = append(out, [2]int{0, i}, [2]int{i, 0})
		}
		return out
	}},
	{"chain", func(n int, _ *rand.Rand) (out [][2]int) {
		for i := 1; i < n; i++ {
			out = append(out, [2]int{i - 1, i}, [2]int{i, i - 1})
		}
		return out
	}},
	{"ring", func(n int, _ *rand.Rand) (out [][2]int) {
		for i := range n {
			out = append(out, [2]int{i, (i + 1) % n}, [2]int{(i + 1) % n, i})
		}
		return out
	}},
	{"one-way ring", func(n int, _ *rand.Rand) (out [][2]int) {
		for i := range n {
			out = append(out, [2]int{i, (i + 1) % n})
		}
		return out
	}},
	{"random", randomPairs},
}

// randomPairs joins each cluster to one before it, one way or both, and adds some.
func randomPairs(n int, rng *rand.Rand) (out [][2]int) {
	add := func(s, d int) {
		if s != d && !slices.Contains(out, [2]int{s, d}) {
			out = append(out, [2]int{s, d})
		}
	}
	for i := 1; i < n; i++ {
		k := rng.IntN(i)
		switch rng.IntN(4) {
		case 0:
			add(i, k)
		case 1:
			add(k, i)
		default:
			add(i, k)
			add(k, i)
		}
	}
	for range rng.IntN(n + 1) {
		add(rng.IntN(n), rng.IntN(n))
	}
	return out
}

// build makes a graph of pairs, with costs.
func build(pairs [][2]int, rng *rand.Rand) (g loop.Graph) {
	for _, p := range pairs {
		g = append(g, edge(p[0], p[1], 1+rng.IntN(3)))
	}
	return g
}

// thinned leaves out some edges.
func thinned(g loop.Graph, rng *rand.Rand, oneIn int) loop.Graph {
	return slices.DeleteFunc(slices.Clone(g), func(loop.Edge) bool { return rng.IntN(oneIn) == 0 })
}

// version is a version of the topology: the graph of each topic.
type version map[string]loop.Graph

// change adds or removes a link of a topic, or gives it another cost.
func (v version) change(topic string, n int, rng *rand.Rand) version {
	out := version{}
	for t, g := range v {
		out[t] = slices.Clone(g)
	}
	g := out[topic]
	s, d := rng.IntN(n), rng.IntN(n)
	if s == d {
		d = (d + 1) % n
	}
	e := edge(s, d, 1+rng.IntN(3))
	i := slices.IndexFunc(g, func(x loop.Edge) bool { return x.Pair == e.Pair })
	switch {
	case i < 0:
		g = append(g, e)
	case rng.IntN(3) == 0:
		g[i] = e
	default:
		g = slices.Delete(g, i, i+1)
	}
	out[topic] = g
	return out
}

// without takes clusters out.
func (v version) without(gone func(topology.Alias) bool) version {
	out := version{}
	for t, g := range v {
		out[t] = slices.DeleteFunc(slices.Clone(g), func(e loop.Edge) bool { return gone(e.Source) || gone(e.Destination) })
	}
	return out
}
