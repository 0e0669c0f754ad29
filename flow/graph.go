package flow

import (
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// graph is what a topology makes of one topic for an inflow.
type graph struct {
	neighbours []loop.Neighbour // from which links lead to the destination, with what each costs
	reached    map[topology.Alias]bool
	several    bool // records of several clusters are in it at the destination
}

// graph is reckoned once for each topic and topology: with ten thousand topics it is asked for often.
func (p *inflow) graph(topic string) *graph {
	if g := p.graphs[topic]; g != nil {
		return g
	}
	all := loop.Carriers(p.topo, topic)
	g := &graph{neighbours: all.Neighbours(p.Source, p.Destination), reached: map[topology.Alias]bool{}, several: len(all.Writers(p.Destination)) > 1}
	for a := range all.Ways(p.Source, p.Destination) {
		g.reached[a] = true
	}
	if p.graphs == nil {
		p.graphs = map[string]*graph{}
	}
	p.graphs[topic] = g
	return g
}
