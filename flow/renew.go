package flow

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// goesOn says whether a running pair can take up another topology: nothing of what its clients, its ways and its shards were made from is
// another. There may be more ways.
func goesOn(before, now *topology.Topology, tp topology.Pair) bool {
	if before.Mesh != now.Mesh || before.Intervals != now.Intervals || before.Limits != now.Limits || before.OffsetMap != now.OffsetMap {
		return false
	}
	was, is := waysOf(before, tp), waysOf(now, tp)
	for a, l := range was {
		if is[a] == nil || !l.Alike(is[a]) {
			return false
		}
	}
	for _, a := range append(slices.Collect(maps.Keys(was)), tp.Destination) {
		if !reflect.DeepEqual(before.Clusters[a], now.Clusters[a]) {
			return false
		}
	}
	return true
}

// running are the pairs that run.
func (m *Manager) running() map[topology.Pair]map[int]told {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[topology.Pair]map[int]told{}
	for tp := range m.flows {
		out[tp] = nil
	}
	return out
}

// news is what a running inflow is to take up.
type news struct {
	topo *topology.Topology
	mesh loop.Mesh
	ways []*way // all of them
}

// renew gives a running inflow the topology, with the ways that are new in it.
func (m *Manager) renew(t *topology.Topology, p *inflow) error {
	if p.knows(t) {
		return nil
	}
	ways, err := m.ways(t, p.Pair)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.news = &news{t, meshOf(t), ways}
	p.mu.Unlock()
	p.poke()
	return nil
}

func (p *inflow) knows(t *topology.Topology) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.news != nil {
		return p.news.topo.Hash() == t.Hash()
	}
	return p.topo.Hash() == t.Hash()
}

// takeUp goes on by a topology that came meanwhile, and says whether there are more ways in it. Ways that there were stay as they are.
func (p *inflow) takeUp() (more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.news
	if n == nil {
		return false
	}
	p.news, p.topo, p.mesh, p.graphs = nil, n.topo, n.mesh, nil
	for _, w := range n.ways {
		if p.way(w.Alias) == nil {
			p.ways, p.prepared, more = append(slices.Clone(p.ways), w), false, true
		}
	}
	slices.SortFunc(p.ways, func(a, b *way) int { return strings.Compare(string(a.Alias), string(b.Alias)) })
	return more
}

// reads are the clusters that it reads from.
func (p *inflow) reads() (out []topology.Alias) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ways := p.ways
	if p.news != nil {
		ways = p.news.ways
	}
	for _, w := range ways {
		out = append(out, w.Alias)
	}
	return out
}
