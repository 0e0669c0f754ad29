package flow

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// choose takes one of the ways that have a topic; false: none can be read now.
func (r *round) choose(ctx context.Context, topic string, from []offer) (offer, bool) {
	if len(r.ways) == 1 {
		return from[0], true
	}
	view := loop.View{}
	order, here := r.order(topic, from)
	for _, n := range order {
		view.Here = append(view.Here, here[n])
	}
	for _, n := range loop.Carriers(r.topo, topic).Neighbours(r.Source, r.Destination) {
		w := r.way(n.Cluster)
		if w == nil {
			continue
		}
		i := slices.IndexFunc(from, func(o offer) bool { return o.way == w })
		if n.Reachable = i >= 0 && w.err == nil && w.Dir.Err() == nil; n.Reachable && len(from) > 1 {
			var err error
			n.Offers, err = r.offers(ctx, topic, from[i], order, here)
			n.Reachable = err == nil
		}
		view.Neighbours = append(view.Neighbours, n)
	}
	r.choices[topic] = loop.Choose(r.choices[topic], view, time.Now())
	i := slices.IndexFunc(from, func(o offer) bool { return o.way.Alias == r.choices[topic].Source })
	if i < 0 {
		return offer{}, false
	}
	r.took(topic, r.choices[topic])
	return from[i], true
}

// source is where a topic is read, for what reason, and since when that is so; zero: it was never changed.
type source struct {
	at    topology.Alias
	why   loop.Reason
	since time.Time
}

// took notes which source a topic has, and tells when that is another one than before.
func (r *round) took(topic string, c loop.Choice) {
	was, now := r.sources[topic], source{at: c.Source, why: c.Why}
	if now.since = was.since; was.at != "" && was.at != c.Source {
		now.since = time.Now()
		r.log.Info("another source", slog.String("topic", topic), slog.String("from", string(was.at)), slog.String("to", string(c.Source)), slog.String("why", string(c.Why)))
		r.env.observer.Switched(r.Pair, topic, c.Why)
	}
	r.sources[topic] = now
}

// order is the partitions of a topic that this node copies, and how far they have come.
func (r *round) order(topic string, from []offer) ([]int32, map[int32]loop.Coordinate) {
	least := math.MaxInt32
	for _, o := range from {
		least = min(least, len(o.partitions))
	}
	here := r.here(topic, least)
	return slices.Sorted(maps.Keys(here)), here
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
