package demo

import (
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

// state is what meshd and the applications say at one time.
type state struct {
	sites []site
	group progress
	total int // records written, by acknowledgements
}

type site struct {
	alias   topology.Alias
	lost    bool
	nodes   []nodeState
	written int
	from    map[topology.Alias]stream // of the other clusters
}

type nodeState struct {
	name   string
	alive  bool
	copies int // partitions that it copies
}

// stream is the copy of one cluster's topic, as the nodes that write it see it.
type stream struct {
	parts   int // that a node holds
	moving  int // of them
	arrived int64
	lag     int64 // records at the source that are not here; -1: unknown
	trouble string
}

// running says whether all partitions are copied.
func (s stream) running() bool { return s.moving == partitions }

func (w *world) state() state {
	views := w.nodes.views()
	s := state{group: w.billing.progress()}
	for _, a := range places {
		x := site{alias: a, lost: w.isLost(a), written: w.writers[a].written(), from: map[topology.Alias]stream{}}
		for _, name := range w.nodesOf(a) {
			n := nodeState{name: name}
			for _, v := range views {
				if v.node == name {
					n.alive, n.copies = true, copiesOf(v)
				}
			}
			x.nodes = append(x.nodes, n)
		}
		for _, o := range places {
			if o != a {
				x.from[o] = w.stream(views, o, a)
			}
		}
		s.total += x.written
		s.sites = append(s.sites, x)
	}
	return s
}

func (w *world) stream(views []view, origin, at topology.Alias) stream {
	var s stream
	for _, v := range views {
		for _, p := range v.flow.Pairs {
			if p.Source == origin && p.Destination == at {
				s.add(p)
			}
		}
	}
	if s.parts < partitions {
		s.lag = -1
	}
	if x := w.arrivals[at]; x != nil {
		s.arrived = x.of(origin)
		s.lag = max(0, int64(w.writers[origin].written())-s.arrived)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	pair := topology.Pair{Source: origin, Destination: at}
	s.arrived = max(s.arrived, w.high[pair])
	w.high[pair] = s.arrived
	return s
}

func copiesOf(v view) (n int) {
	for _, p := range v.flow.Pairs {
		var s stream
		s.add(p)
		n += s.moving
	}
	return n
}

func (s *stream) add(p flow.PairStatus) {
	if p.Reason != nil {
		s.trouble = p.Reason.Code
	}
	for _, x := range p.Partitions {
		if x.Topic != topic {
			continue
		}
		s.parts++
		s.arrived += x.Next
		switch {
		case x.Lag < 0 || s.lag < 0:
			s.lag = -1
		default:
			s.lag += x.Lag
		}
		if x.State == flow.Streaming || x.State == flow.CatchingUp {
			s.moving++
		} else if x.Reason != nil {
			s.trouble = x.Reason.Code
		}
	}
}

// at is the site of a cluster.
func (s state) at(a topology.Alias) site {
	for _, x := range s.sites {
		if x.alias == a {
			return x
		}
	}
	return site{}
}

// running says whether everything is copied everywhere, and all that was written at an earlier time has arrived.
func (s state) running(earlier state) bool {
	for _, x := range s.sites {
		for o, f := range x.from {
			if !f.running() || f.lag < 0 || f.arrived < int64(earlier.at(o).written) {
				return false
			}
		}
	}
	return true
}

// syncedAt is when the groups of a cluster were last synced with success.
func (w *world) syncedAt(a topology.Alias) (at time.Time) {
	for _, v := range w.nodes.views() {
		for _, g := range v.groups {
			if g.Home == a && g.At.After(at) {
				at = g.At
			}
		}
	}
	return at
}
