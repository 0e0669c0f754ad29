package loop

import (
	"slices"

	"github.com/meshd/meshd/topology"
)

// takes says what each cluster takes from where.
func (g Graph) takes(clusters []topology.Alias) (takes []Take, unheard []Unheard) {
	for _, o := range clusters {
		ways := g.Ways(o)
		for _, c := range clusters {
			_, ok := ways[c]
			switch {
			case c == o:
			case ok:
				takes = append(takes, g.take(o, c, ways))
			default:
				unheard = append(unheard, Unheard{o, c, reached(o, ways)})
			}
		}
	}
	return takes, unheard
}

// take is what a cluster takes of an origin, whose ways lead there. Most ways to its neighbours do not lead over the cluster itself; only
// where one does, another is looked for.
func (g Graph) take(o, c topology.Alias, ways map[topology.Alias]Way) Take {
	way := ways[c]
	t := Take{Origin: o, Cluster: c, Source: way.Path[len(way.Path)-2], Cost: way.Cost, Path: way.Path}
	var around map[topology.Alias]Way
	for _, e := range g {
		if e.Destination != c || e.Source == t.Source {
			continue
		}
		w, ok := ways[e.Source]
		if ok && slices.Contains(w.Path, c) {
			if around == nil {
				around = g.Ways(o, c)
			}
			_, ok = around[e.Source]
		}
		if ok {
			t.Instead = append(t.Instead, e.Source)
		}
	}
	slices.Sort(t.Instead)
	return t
}

// copies is the largest number of sources from which a cluster takes an origin's records.
func copies(takes []Take) (most int) {
	count := map[topology.Pair]int{}
	for _, t := range takes {
		p := topology.Pair{Source: t.Origin, Destination: t.Cluster}
		count[p]++
		most = max(most, count[p])
	}
	return most
}

func reached(o topology.Alias, ways map[topology.Alias]Way) []topology.Alias {
	var out []topology.Alias
	for a := range ways {
		if a != o {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return append([]topology.Alias{o}, out...)
}
