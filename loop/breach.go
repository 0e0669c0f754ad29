package loop

import "time"

// breach is a gap that no neighbour fills.
type breach struct {
	since  time.Time
	resume Coordinate
}

// Gaps are the gaps that nobody could fill for Patience, by partition: on_gap decides about them. What a neighbour has that can't be
// reached now, as far as was last heard of it, is waited for.
func (c Choice) Gaps(v View, now time.Time) map[int]Gap {
	out := map[int]Gap{}
	for p, b := range c.breaks {
		if now.Sub(b.since) >= Patience && v.Here[p].Less(b.resume) {
			out[p] = Gap{From: v.Here[p], To: b.resume, Why: GapCopied}
		}
	}
	return out
}

func (v View) breaches(prev map[int]breach, now time.Time) map[int]breach {
	out := map[int]breach{}
	for p := range v.Here {
		resume, ok := v.breach(p)
		if !ok {
			continue
		}
		b, had := prev[p]
		if !had {
			b.since = now
		}
		b.resume = resume
		out[p] = b
	}
	return out
}

// breach is where the first neighbour goes on that has something behind a gap, if none has what is in it.
func (v View) breach(p int) (resume Coordinate, ok bool) {
	here := v.Here[p]
	for i, n := range v.Neighbours {
		if p >= len(n.Offers) {
			continue
		}
		if here.Less(v.until(i, p)) {
			return Coordinate{}, false
		}
		if o := n.Offers[p]; n.Reachable && here.Less(o.Frontier) && (!ok || o.Resume.Less(resume)) {
			resume, ok = o.Resume, true
		}
	}
	return resume, ok
}
