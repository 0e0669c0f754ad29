package loop

import (
	"slices"

	"github.com/meshd/meshd/topology"
)

// Edge is one direction of a link that carries a topic.
type Edge struct {
	topology.Pair
	Cost       int             `json:"cost"`
	Link       string          `json:"link"`
	Naming     topology.Naming `json:"naming"`
	Provenance Provenance      `json:"-"`
	Paused     bool            `json:"paused"`
}

// Graph is the edges over which one topic goes, in the order of the file.
type Graph []Edge

// Carriers is the graph of a topic.
func Carriers(t *topology.Topology, topic string) Graph {
	var g Graph
	for _, link := range t.Links {
		s, ok := link.Topic(topic)
		if !ok {
			continue
		}
		for _, pair := range link.Pairs {
			g = append(g, Edge{Pair: pair, Cost: link.Cost, Link: link.Name, Naming: s.Naming, Provenance: ProvenanceOf(s), Paused: link.Paused})
		}
	}
	return g
}

// Way is the shortest way from an origin to a cluster.
type Way struct {
	Cost int
	Path []topology.Alias // both ends are in it
}

// Ways returns the shortest way to each cluster that an origin's records reach without passing through one of the clusters avoided. Of
// ways of one cost it takes the one of fewer hops, then the first by name.
func (g Graph) Ways(origin topology.Alias, avoid ...topology.Alias) map[topology.Alias]Way {
	done, open, from := map[topology.Alias]Way{}, map[topology.Alias]Way{}, g.bySource()
	if !slices.Contains(avoid, origin) {
		open[origin] = Way{Path: []topology.Alias{origin}}
	}
	for len(open) > 0 {
		var at topology.Alias
		for a, w := range open {
			if at == "" || w.before(open[at]) {
				at = a
			}
		}
		way := open[at]
		done[at] = way
		delete(open, at)
		for _, e := range from[at] {
			if _, ok := done[e.Destination]; ok || slices.Contains(avoid, e.Destination) {
				continue
			}
			old, ok := open[e.Destination]
			if ok && old.Cost < way.Cost+e.Cost {
				continue
			}
			if next := (Way{way.Cost + e.Cost, append(slices.Clone(way.Path), e.Destination)}); !ok || next.before(old) {
				open[e.Destination] = next
			}
		}
	}
	return done
}

func (g Graph) bySource() map[topology.Alias][]*Edge {
	out := map[topology.Alias][]*Edge{}
	for i := range g {
		out[g[i].Source] = append(out[g[i].Source], &g[i])
	}
	return out
}

func (w Way) before(o Way) bool {
	if w.Cost != o.Cost {
		return w.Cost < o.Cost
	}
	if len(w.Path) != len(o.Path) {
		return len(w.Path) < len(o.Path)
	}
	return slices.Compare(w.Path, o.Path) < 0
}

// Neighbours returns those from which links lead to a cluster, in the order of their names, with the cost of an origin's way over each.
func (g Graph) Neighbours(origin, here topology.Alias) []Neighbour {
	ways := g.Ways(origin, here)
	var out []Neighbour
	for _, e := range g {
		if e.Destination != here {
			continue
		}
		n := Neighbour{Cluster: e.Source, Cost: None}
		if w, ok := ways[e.Source]; ok {
			n.Cost = w.Cost + e.Cost
		}
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b Neighbour) int {
		switch {
		case a.Cluster < b.Cluster:
			return -1
		case a.Cluster > b.Cluster:
			return 1
		}
		return 0
	})
	return out
}

// Clusters are those that the graph joins, in the order of their names.
func (g Graph) Clusters() []topology.Alias {
	var out []topology.Alias
	for _, e := range g {
		out = append(out, e.Source, e.Destination)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Writers are the clusters whose records are in a topic at a cluster, in the order of their names; it is one of them if its own go elsewhere.
func (g Graph) Writers(here topology.Alias) []topology.Alias {
	var out []topology.Alias
	for _, a := range g.Clusters() {
		ways := g.Ways(a)
		if _, comes := ways[here]; comes && len(ways) > 1 {
			out = append(out, a)
		}
	}
	return out
}
