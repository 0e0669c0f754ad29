package loop

import (
	"time"

	"github.com/meshd/meshd/topology"
)

// Patience is how long a source may be behind another one, and how long a better one must have been well before it is gone back to.
const Patience = 10 * time.Second

// Soon is for how long a source that was left must have been well to be gone back to before Patience is over: where the one in use lacks for as
// long what is to be had. It is longer than a source that follows the same origin is behind.
const Soon = 2 * time.Second

// Offer is what a neighbour has of one origin partition for a destination.
type Offer struct {
	Frontier Coordinate // its own; of the origin, behind the last record of its log, with that record's leader epoch
	Until    Coordinate // of what it can serve from here on without a break; Frontier if nothing is missing
	Resume   Coordinate // where it goes on behind the break; undefined without one
}

// MakeOffer says what a neighbour can serve to a destination that has come to here: gaps are the neighbour's, and first is the lowest
// coordinate that its log still holds (at or below here if nothing of what follows was deleted).
func MakeOffer(here, frontier, first Coordinate, gaps Gaps) Offer {
	o := Offer{Frontier: frontier, Until: frontier}
	if here.Less(first) {
		o.Until, o.Resume = here, first
		if frontier.Less(first) {
			o.Resume = frontier
		}
	} else if g, ok := gaps.Between(here, frontier); ok {
		o.Until, o.Resume = g.From, g.To
		if g.From.Less(here) {
			o.Until = here
		}
	}
	return o
}

// Neighbour is a cluster from which a link that carries the topic leads to the destination.
type Neighbour struct {
	Cluster   topology.Alias
	Cost      int // of the shortest way from the origin over it; None if links lead from the origin to it no more
	Reachable bool
	Offers    []Offer // by partition, as View.Here
}

// None is the cost where there is no way.
const None = -1

// View is what a destination knows of one origin's records of one topic.
type View struct {
	Here       []Coordinate // its own frontiers, by partition
	Neighbours []Neighbour  // in the order of their aliases
}

// Reason is why a source was chosen.
type Reason string

// Reasons of a choice.
const (
	Nearest     Reason = "nearest"
	Unreachable Reason = "the nearest can't be reached"
	LeftBehind  Reason = "the nearest is behind"
	OnlyHolder  Reason = "no links lead from the origin any more"
	Nobody      Reason = "no neighbour can be reached"
)

// Choice is the source of one origin's records of one topic at a destination, and what must be remembered until the next one. The zero
// Choice begins.
type Choice struct {
	Source topology.Alias // "" if there is none
	Why    Reason
	marks  map[topology.Alias]mark
	breaks map[int]breach
}

// Choose takes the nearest neighbour that can be reached and has not been behind another for Patience; else it stays with the one that it
// has, as long as that holds for it; else it takes the one that has the most to offer. Any choice is safe, for the frontier decides what
// enters: this one sees to it that what can be had is had. It gives the same answer for the same past.
func Choose(prev Choice, v View, now time.Time) Choice {
	c := Choice{marks: v.marks(prev, now), breaks: v.breaches(prev.breaks, now)}
	best, kept, lead := -1, -1, -1
	for i, n := range v.Neighbours {
		m := c.marks[n.Cluster]
		if !n.Reachable {
			continue
		}
		if n.Cost != None && !m.left && (best < 0 || n.Cost < v.Neighbours[best].Cost) {
			best = i
		}
		if n.Cluster == prev.Source && !m.failing(now) {
			kept = i
		}
		if lead < 0 || v.more(i, lead) {
			lead = i
		}
	}
	for _, i := range []int{best, kept, lead} {
		if i >= 0 {
			c.Source, c.Why = v.Neighbours[i].Cluster, v.why(i)
			return c
		}
	}
	c.Why = Nobody
	return c
}

// why says why a neighbour is taken that need not be the nearest.
func (v View) why(taken int) Reason {
	near := -1
	for i, n := range v.Neighbours {
		if n.Cost != None && (near < 0 || n.Cost < v.Neighbours[near].Cost) {
			near = i
		}
	}
	switch {
	case near < 0:
		return OnlyHolder
	case near == taken:
		return Nearest
	case !v.Neighbours[near].Reachable:
		return Unreachable
	}
	return LeftBehind
}

// more says whether a neighbour is ahead of another in more partitions than it is behind in, or comes before it.
func (v View) more(i, than int) bool {
	n := 0
	for p, here := range v.Here {
		a, b := v.until(i, p), v.until(than, p)
		switch {
		case here.Less(a) && b.Less(a):
			n++
		case here.Less(b) && a.Less(b):
			n--
		}
	}
	x, y := v.Neighbours[i].Cost, v.Neighbours[than].Cost
	return n > 0 || n == 0 && x != None && (y == None || x < y)
}
