package loop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshd/meshd/topology"
)

// wrong says what of the promises is broken: home is true of what must never be, whole of what must have arrived by now.
func (w *world) wrong(whole bool) string {
	for _, s := range w.clusters {
		seen, last := map[int]bool{}, map[int]Coordinate{}
		for _, e := range s.log {
			if e.record < 0 {
				continue
			}
			r := w.records[e.record]
			if r.origin == s.number && !s.holds(e, s.number) {
				return fmt.Sprintf("loop: record %d came home to %s", e.record, s.alias)
			}
			if seen[e.record] {
				return fmt.Sprintf("twice: record %d at %s", e.record, s.alias)
			}
			if at, ok := last[r.origin]; ok && r.at.Less(at) {
				return fmt.Sprintf("order: record %d at %s", e.record, s.alias)
			}
			seen[e.record], last[r.origin] = true, r.at
		}
		if !whole || s.down {
			continue
		}
		for _, r := range w.records {
			if r.origin != s.number && !seen[r.number] && w.due(r, s) {
				return fmt.Sprintf("lost: record %d (%s of %s) at %s", r.number, r.at, name(r.origin), s.alias)
			}
		}
	}
	return ""
}

// due says whether a record must have arrived: a way leads there from a cluster that is up and holds it, and no gap tells why it has not
// come.
func (w *world) due(r *record, s *site) bool {
	if _, gap := s.taken.Gaps(Origin(r.origin), part(s.number)).Between(r.at, r.at.Next()); gap || r.lost || s.lost[r.origin] {
		return false
	}
	var down []topology.Alias
	for _, x := range w.clusters {
		if x.down || x.lost[r.origin] {
			down = append(down, x.alias)
		}
	}
	for _, x := range w.clusters {
		if x.down || x.lost[r.origin] || !slices.ContainsFunc(x.log[x.start:], func(e entry) bool { return e.record == r.number }) {
			continue
		}
		if _, ok := w.graph.Ways(x.alias, down...)[s.alias]; ok {
			return true
		}
	}
	return false
}

func (w *world) String() string {
	var b strings.Builder
	for _, s := range w.clusters {
		fmt.Fprintf(&b, "%s:", s.alias)
		for i, e := range s.log {
			if i == s.start && i > 0 {
				b.WriteString(" |")
			}
			fmt.Fprintf(&b, " %d", e.record)
		}
		b.WriteString("\n")
	}
	return b.String() + strings.Join(w.trace[max(0, len(w.trace)-40):], "\n")
}
