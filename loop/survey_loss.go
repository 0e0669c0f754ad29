package loop

import (
	"slices"

	"github.com/meshd/meshd/topology"
)

func (g Graph) loseCluster(c topology.Alias, s Survey) Loss {
	l := Loss{Cluster: c}
	rest := slices.DeleteFunc(slices.Clone(g), func(e Edge) bool { return e.Source == c || e.Destination == c })
	l.compare(s, rest, func(path []topology.Alias) bool { return slices.Contains(path, c) })
	for _, t := range s.Takes {
		if t.Origin != c {
			continue
		}
		for _, e := range rest {
			if e.Destination == t.Cluster {
				l.Holders = append(l.Holders, e.Pair)
			}
		}
	}
	return l
}

func (g Graph) loseLink(e Edge, s Survey) Loss {
	l := Loss{Link: &e.Pair}
	rest := slices.DeleteFunc(slices.Clone(g), e.joins)
	l.compare(s, rest, func(path []topology.Alias) bool {
		for i := range path[1:] {
			if e.joins(Edge{Pair: topology.Pair{Source: path[i], Destination: path[i+1]}}) {
				return true
			}
		}
		return false
	})
	return l
}

// compare says what is otherwise than before, of what does not concern the lost cluster itself. Ways that do not lead over what is lost
// stay the shortest.
func (l *Loss) compare(before Survey, rest Graph, over func(path []topology.Alias) bool) {
	ways := map[topology.Alias]map[topology.Alias]Way{}
	for _, t := range before.Takes {
		if t.Origin == l.Cluster || t.Cluster == l.Cluster || !over(t.Path) {
			continue
		}
		if ways[t.Origin] == nil {
			ways[t.Origin] = rest.Ways(t.Origin)
		}
		switch way, ok := ways[t.Origin][t.Cluster]; {
		case !ok:
			l.Cut = append(l.Cut, topology.Pair{Source: t.Origin, Destination: t.Cluster})
		case way.Path[len(way.Path)-2] != t.Source:
			l.Moved = append(l.Moved, rest.take(t.Origin, t.Cluster, way))
		}
	}
}
