package topology

import (
	"cmp"
	"iter"
	"slices"
)

// Pairs yields every directed pair with its link, in the order of the file.
func (t *Topology) Pairs() iter.Seq2[Pair, *Link] {
	return func(yield func(Pair, *Link) bool) {
		for i := range t.Links {
			for _, pair := range t.Links[i].Pairs {
				if !yield(pair, &t.Links[i]) {
					return
				}
			}
		}
	}
}

// Aliases returns the clusters in the order of their names.
func (t *Topology) Aliases() []Alias {
	out := make([]Alias, 0, len(t.Clusters))
	for a := range t.Clusters {
		out = append(out, a)
	}
	slices.Sort(out)
	return out
}

// Reachable returns for each cluster those that a chain of links leads to, in the order of their names.
func (t *Topology) Reachable() map[Alias][]Alias {
	next := map[Alias][]Alias{}
	for pair := range t.Pairs() {
		next[pair.Source] = append(next[pair.Source], pair.Destination)
	}
	out := map[Alias][]Alias{}
	for a := range t.Clusters {
		seen, queue := map[Alias]bool{a: true}, []Alias{a}
		for len(queue) > 0 {
			for _, b := range next[queue[0]] {
				if !seen[b] {
					seen[b] = true
					queue = append(queue, b)
					out[a] = append(out[a], b)
				}
			}
			queue = queue[1:]
		}
		slices.Sort(out[a])
	}
	return out
}

// Inflows returns the couples of an origin and a destination that the mesh is to serve: every cluster from which links lead to another
// one, directly or over others, whether or not they are paused. They are in the order of the destinations' names, then of the origins'.
func (t *Topology) Inflows() []Pair {
	var out []Pair
	for origin, reached := range t.Reachable() {
		for _, destination := range reached {
			out = append(out, Pair{origin, destination})
		}
	}
	slices.SortFunc(out, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Source, b.Source))
	})
	return out
}
