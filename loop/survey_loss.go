package loop

import (
	"slices"

	"github.com/meshd/meshd/topology"
)

func (g Graph) loseCluster(c topology.Alias, s Survey) Loss {
	l := Loss{Cluster: c}
	rest := slices.DeleteFunc(slices.Clone(g), func(e Edge) bool { return e.Source == c || e.Destination == c })
	l.compare(s, rest)
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
	l.compare(s, slices.DeleteFunc(slices.Clone(g), e.joins))
	return l
}

// compare says what is otherwise than before, of what does not concern the lost cluster itself.
func (l *Loss) compare(before Survey, rest Graph) {
	now, _ := rest.takes(before.Clusters)
	for _, t := range before.Takes {
		if t.Origin == l.Cluster || t.Cluster == l.Cluster {
			continue
		}
		i := slices.IndexFunc(now, func(n Take) bool { return n.Origin == t.Origin && n.Cluster == t.Cluster })
		switch {
		case i < 0:
			l.Cut = append(l.Cut, topology.Pair{Source: t.Origin, Destination: t.Cluster})
		case now[i].Source != t.Source:
			l.Moved = append(l.Moved, now[i])
		}
	}
}
