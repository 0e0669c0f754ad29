package admin

import (
	"slices"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// inflow is what a topology says of the records of one cluster at another.
type inflow struct {
	link    *topology.Link // that leads from the one to the other; nil: none
	paused  bool           // nothing new comes: every way from the one to the other is paused somewhere
	carried bool           // a topic may, as far as can be told from the patterns
	via     []topology.Alias
}

// shape is what comes from where to where by a topology.
type shape struct {
	of *topology.Topology
	in map[topology.Pair]*inflow
}

// shapeOf looks at a topology once: it takes a while.
func (k *tracker) shapeOf(t *topology.Topology) map[topology.Pair]*inflow {
	if t != nil && k.shape.of != t {
		k.shape = shape{of: t, in: inflowsOf(t)}
	}
	if t == nil {
		return nil
	}
	return k.shape.in
}

func inflowsOf(t *topology.Topology) map[topology.Pair]*inflow {
	in, open := map[topology.Pair]*inflow{}, openWays(t)
	for _, p := range t.Inflows() {
		_, comes := open[p.Source][p.Destination]
		in[p] = &inflow{paused: !comes}
	}
	for p, l := range t.Pairs() {
		in[p].link, in[p].carried = l, true
	}
	topics, _ := loop.Examples(t)
	for _, topic := range topics {
		g := loop.Carriers(t, topic)
		for _, origin := range g.Clusters() {
			for a, w := range g.Ways(origin) {
				if n := len(w.Path); n > 1 {
					in[topology.Pair{Source: origin, Destination: a}].pass(origin, w.Path[n-2])
				}
			}
		}
	}
	return in
}

// openWays are those over links that are not paused, from each cluster.
func openWays(t *topology.Topology) map[topology.Alias]map[topology.Alias]loop.Way {
	var g loop.Graph
	for p, l := range t.Pairs() {
		if !l.Paused {
			g = append(g, loop.Edge{Pair: p, Cost: l.Cost})
		}
	}
	out := map[topology.Alias]map[topology.Alias]loop.Way{}
	for a := range t.Clusters {
		out[a] = g.Ways(a)
	}
	return out
}

// pass notes that a topic comes over a cluster.
func (x *inflow) pass(origin, over topology.Alias) {
	x.carried = true
	if over != origin && !slices.Contains(x.via, over) {
		x.via = append(x.via, over)
	}
}
