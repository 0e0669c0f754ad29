package loop

import (
	"time"

	"github.com/meshd/meshd/topology"
)

// mark is what is remembered of a neighbour.
type mark struct {
	behind time.Time    // since when it has yet to reach target; zero if it is not behind
	target []Coordinate // what others could serve then; Start where it was not behind
	left   bool         // it failed, and has not been well for Patience since
	well   time.Time    // since when
}

// failing says whether the neighbour had Patience to reach what others had.
func (m mark) failing(now time.Time) bool { return !m.behind.IsZero() && now.Sub(m.behind) >= Patience }

// soon says whether something has been so for Soon.
func soon(since, now time.Time) bool { return !since.IsZero() && now.Sub(since) >= Soon }

// marks brings all marks up to date. A neighbour that was left is as good as before, before Patience is over, where nothing comes from the one
// that is in use.
func (v View) marks(prev Choice, now time.Time) map[topology.Alias]mark {
	out := map[topology.Alias]mark{}
	for i, n := range v.Neighbours {
		out[n.Cluster] = v.follow(i, prev.marks[n.Cluster], now)
	}
	if !soon(out[prev.Source].behind, now) {
		return out
	}
	for a, m := range out {
		if m.left && m.behind.IsZero() && soon(m.well, now) {
			out[a] = mark{}
		}
	}
	return out
}

// follow brings the mark of a neighbour up to date. A stream that moves on is always a little ahead at one neighbour or another; so a
// neighbour is behind only as long as it has not reached what others had when it was first seen behind.
func (v View) follow(i int, m mark, now time.Time) mark {
	if !v.Neighbours[i].Reachable {
		return mark{left: true}
	}
	if m.behind.IsZero() || v.reached(i, m.target) {
		m.behind, m.target = time.Time{}, v.ahead(i)
		if m.target != nil {
			m.behind = now
		}
	}
	switch {
	case m.failing(now):
		m.left, m.well = true, time.Time{}
	case m.left && m.well.IsZero():
		m.well = now
	case m.left && now.Sub(m.well) >= Patience:
		m.left, m.well = false, time.Time{}
	}
	return m
}

// reached says whether a neighbour can serve all that was to be had, or it is here already.
func (v View) reached(i int, target []Coordinate) bool {
	for p, t := range target {
		if p < len(v.Here) && v.Here[p].Less(t) && v.until(i, p).Less(t) {
			return false
		}
	}
	return true
}

// ahead is what others that can be reached can serve and a neighbour can't; nil if there is nothing.
func (v View) ahead(i int) []Coordinate {
	var out []Coordinate
	for k, n := range v.Neighbours {
		if k == i || !n.Reachable {
			continue
		}
		for p, o := range n.Offers {
			if !v.Here[p].Less(o.Until) || !v.until(i, p).Less(o.Until) {
				continue
			}
			if out == nil {
				out = begin(len(v.Here))
			}
			if out[p].Less(o.Until) {
				out[p] = o.Until
			}
		}
	}
	return out
}

func begin(n int) []Coordinate {
	out := make([]Coordinate, n)
	for p := range out {
		out[p] = Start
	}
	return out
}

func (v View) until(i, p int) Coordinate {
	if o := v.Neighbours[i].Offers; p < len(o) {
		return o[p].Until
	}
	return Start
}
