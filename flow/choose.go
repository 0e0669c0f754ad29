package flow

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// chosen is what is remembered of a topic from one choice of its source to the next.
type chosen struct {
	loop.Choice
	said map[topology.Alias]map[int32]offered // what a way said that can't be reached now is believed as long
	torn map[tear]loop.Coordinate             // behind which a partition could not be read there
}

// tear is a partition at a cluster, where it can't be read.
type tear struct {
	at     topology.Alias
	number int32
}

// choose takes one of the ways that have a topic; false: none can be read now.
func (r *round) choose(ctx context.Context, topic string, from []offer) (offer, bool) {
	if len(r.ways) == 1 {
		r.took(topic, loop.Choice{Source: from[0].way.Alias})
		return from[0], true
	}
	c := r.choices[topic]
	if c == nil {
		c = &chosen{said: map[topology.Alias]map[int32]offered{}, torn: map[tear]loop.Coordinate{}}
		r.choices[topic] = c
	}
	here := r.here[topic]
	order := slices.Sorted(maps.Keys(here))
	for _, n := range order {
		if p := r.part(topic, n); p != nil && p.cannotRead() {
			c.torn[tear{p.Source, n}] = here[n]
		}
	}
	view := r.look(ctx, topic, c, from, order, here)
	c.Choice = loop.Choose(c.Choice, view, time.Now())
	for i, g := range c.Gaps(view, time.Now()) {
		if p := r.part(topic, order[i]); p != nil {
			p.nobodyHas(g)
		}
	}
	i := slices.IndexFunc(from, func(o offer) bool { return o.way.Alias == c.Source })
	if i < 0 {
		return offer{}, false
	}
	r.took(topic, c.Choice)
	for k, n := range order {
		if p := r.part(topic, n); p != nil {
			p.catchUp(c.Source, c.said[c.Source][n], view.Here[k])
		}
	}
	return from[i], true
}

// look asks all ways what they have of a topic.
func (r *round) look(ctx context.Context, topic string, c *chosen, from []offer, order []int32, here map[int32]loop.Coordinate) loop.View {
	var view loop.View
	for _, n := range r.graph(topic).neighbours {
		w := r.way(n.Cluster)
		if w == nil {
			continue
		}
		i := slices.IndexFunc(from, func(o offer) bool { return o.way == w })
		if n.Reachable = i >= 0 && w.err == nil && w.Dir.Err() == nil; n.Reachable {
			said, err := r.hear(ctx, topic, from[i], order)
			if n.Reachable = err == nil; n.Reachable {
				c.said[w.Alias] = said
			}
		}
		view.Neighbours = append(view.Neighbours, n)
	}
	for _, p := range order {
		view.Here = append(view.Here, here[p])
		epoch := c.highest(p)
		for i := range view.Neighbours {
			n := &view.Neighbours[i]
			n.Offers = append(n.Offers, c.offer(n.Cluster, p, here[p], epoch))
		}
	}
	return view
}

// highest is the highest leader epoch of the origin that any way has of a partition.
func (c *chosen) highest(p int32) int32 {
	epoch := int32(-1)
	for _, of := range c.said {
		if o, ok := of[p]; ok {
			epoch = max(epoch, o.frontier.Epoch)
		}
	}
	return epoch
}

func (c *chosen) offer(a topology.Alias, p int32, here loop.Coordinate, epoch int32) loop.Offer {
	o, ok := c.said[a][p]
	if !ok {
		return nothing
	}
	x := o.to(here, epoch)
	if at, torn := c.torn[tear{a, p}]; torn && at == here && here.Less(x.Until) {
		x.Until, x.Resume = here, x.Frontier
	}
	return x
}

// clusters tells which cluster each alias stood for when its writers registered.
func (r *registered) clusters(tell func(topology.Alias, string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.known {
		tell(w.Origin, w.OriginID)
	}
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
