package topology

import (
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

// Unheard returns the pairs between which a chain of links leads, but no link: topics go over direct links only, so what is produced
// at the source never arrives there.
func (t *Topology) Unheard() []Pair {
	direct := map[Pair]bool{}
	for pair := range t.Pairs() {
		direct[pair] = true
	}
	reachable := t.Reachable()
	var out []Pair
	for _, a := range t.Aliases() {
		for _, b := range reachable[a] {
			if !direct[Pair{a, b}] {
				out = append(out, Pair{a, b})
			}
		}
	}
	return out
}
