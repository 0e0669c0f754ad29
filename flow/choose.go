package flow

import (
	"slices"
	"time"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// choose takes one of the ways that have a topic; false: none can be read now.
func (r *round) choose(topic string, from []offer) (offer, bool) {
	if len(r.ways) == 1 {
		return from[0], true
	}
	view := loop.View{}
	for _, n := range loop.Carriers(r.topo, topic).Neighbours(r.Source, r.Destination) {
		i := slices.IndexFunc(from, func(o offer) bool { return o.way.Alias == n.Cluster })
		w := r.way(n.Cluster)
		n.Reachable = i >= 0 && w.err == nil && w.Dir.Err() == nil
		if w != nil {
			view.Neighbours = append(view.Neighbours, n)
		}
	}
	c := loop.Choose(r.choices[topic], view, time.Now())
	r.choices[topic] = c
	i := slices.IndexFunc(from, func(o offer) bool { return o.way.Alias == c.Source })
	if i < 0 {
		return offer{}, false
	}
	return from[i], true
}

// idOf is the cluster id of an origin, as a writer of its records registered it; "" if none did.
func (r *registered) idOf(origin topology.Alias) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.known {
		if w.Origin == origin {
			return w.OriginID
		}
	}
	return ""
}
