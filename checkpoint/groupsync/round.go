package groupsync

import (
	"github.com/meshd/meshd/checkpoint/groups"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// round is what was read of all clusters at one time; it translates by it.
type round struct {
	home   *view
	views  map[topology.Alias]*view // those that could be read, the home among them
	counts map[string]int           // partitions of the topics at the home
}

func (r *round) coordinateOf(at topology.Alias, p groups.Partition) coordinate {
	return r.views[at].names.coordinateOf(p.Topic, p.Number)
}

func (r *round) nameOf(at topology.Alias, c coordinate) (string, bool) {
	return r.views[at].names.nameOf(c)
}

func (r *round) up(at topology.Alias, c coordinate, offset int64) (answer, bool) {
	if at == c.Origin {
		return answer{offset: offset, exact: true}, true
	}
	m, err := r.views[at].mapOf(c)
	if err != nil || m == nil {
		return answer{}, false
	}
	a := m.ToSource(offsetxlate.Dest(offset))
	return answer{int64(a.Offset), a.Exact, a.Reread, a.How}, true
}

func (r *round) down(c coordinate, offset int64) (answer, bool) {
	if r.home.Alias == c.Origin {
		return answer{offset: offset, exact: true}, true
	}
	m, err := r.home.mapOf(c)
	if err != nil || m == nil {
		return answer{}, false
	}
	a := m.ToDest(offsetxlate.Source(offset))
	return answer{int64(a.Offset), a.Exact, a.Reread, a.How}, true
}

func (r *round) partitions(c coordinate) int {
	name, ok := r.nameOf(r.home.Alias, c)
	if !ok {
		return 0
	}
	return r.counts[name]
}
