package loop

import (
	"fmt"
	"slices"
	"testing"

	"github.com/meshd/meshd/topology"
)

// graphs returns every connected graph of n clusters, links of cost 1: each directed one, or each of links that go both ways. Of graphs
// that differ by the clusters' names alone, only the first is there unless labelled.
func graphs(n int, directed, labelled bool) []Graph {
	ends := pairs(n, directed)
	perms := permutations(n)
	var out []Graph
	for bits := range uint32(1) << len(ends) {
		if !connected(bits, ends, n) || !labelled && !first(bits, ends, perms, directed) {
			continue
		}
		var g Graph
		for i, e := range ends {
			if bits>>i&1 == 1 {
				g = append(g, edge(e[0], e[1]))
				if !directed {
					g = append(g, edge(e[1], e[0]))
				}
			}
		}
		out = append(out, g)
	}
	return out
}

func edge(s, d int) Edge {
	return Edge{Pair: topology.Pair{Source: name(s), Destination: name(d)}, Cost: 1, Naming: "identity"}
}

func pairs(n int, directed bool) (out [][2]int) {
	for s := range n {
		for d := range n {
			if s < d || directed && s != d {
				out = append(out, [2]int{s, d})
			}
		}
	}
	return out
}

func connected(bits uint32, ends [][2]int, n int) bool {
	group := make([]int, n)
	for i := range group {
		group[i] = i
	}
	for i, e := range ends {
		if a, b := group[e[0]], group[e[1]]; bits>>i&1 == 1 && a != b {
			for k := range group {
				if group[k] == b {
					group[k] = a
				}
			}
		}
	}
	return !slices.ContainsFunc(group, func(x int) bool { return x != group[0] })
}

func permutations(n int) (out [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, p := range permutations(n - 1) {
		for i := range n {
			out = append(out, slices.Insert(slices.Clone(p), i, n-1))
		}
	}
	return out
}

func first(bits uint32, ends [][2]int, perms [][]int, directed bool) bool {
	for _, p := range perms {
		var other uint32
		for i, e := range ends {
			if bits>>i&1 == 0 {
				continue
			}
			s, d := p[e[0]], p[e[1]]
			if !directed && s > d {
				s, d = d, s
			}
			other |= 1 << slices.Index(ends, [2]int{s, d})
		}
		if other < bits {
			return false
		}
	}
	return true
}

func mesh(n int) Graph {
	var g Graph
	for _, e := range pairs(n, true) {
		g = append(g, edge(e[0], e[1]))
	}
	return g
}

func star(n int) Graph {
	var g Graph
	for i := 1; i < n; i++ {
		g = append(g, edge(0, i), edge(i, 0))
	}
	return g
}

func TestWriters(t *testing.T) {
	edge := func(from, to topology.Alias) Edge {
		return Edge{Pair: topology.Pair{Source: from, Destination: to}, Cost: 1}
	}
	for _, c := range []struct {
		g    Graph
		here topology.Alias
		want string
	}{
		{Graph{edge("a", "b")}, "b", "[a]"},
		{Graph{edge("a", "b"), edge("b", "a")}, "b", "[a b]"},
		{Graph{edge("a", "b"), edge("b", "c")}, "b", "[a b]"},
		{Graph{edge("a", "b"), edge("b", "c")}, "c", "[a b]"},
		{Graph{edge("a", "c"), edge("b", "c")}, "c", "[a b]"},
	} {
		if got := fmt.Sprint(c.g.Writers(c.here)); got != c.want {
			t.Errorf("%v at %s: %s", c.g, c.here, got)
		}
	}
}
