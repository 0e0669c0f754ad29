package main

import (
	"fmt"

	"github.com/meshd/meshd/admin"
)

// counterTable shows what was left out, by reason; "-" stands for what a topic of its naming has not.
func counterTable(flows []admin.FlowStatus) *table {
	t := newTable("LINK", "TOPIC", "OWN", "SEEN", "OTHERS'", "WRITERS'", "FOREIGN", "ABORTED", "GAPS", "STAMPED", "COPIED", "AGAIN")
	for _, f := range flows {
		r := f.Totals.Ruled
		own, seen, others, writers, foreign, stamped, copied := "-", "-", "-", number(r.ByWriter), number(r.ByApplication), "-", "-"
		if f.Identity {
			own, seen, others, writers, foreign = number(r.Own), number(r.Seen), number(r.OtherSource), "-", "-"
			stamped, copied = number(r.Stamped), number(r.CopiedHeader)
		}
		t.add([]string{f.Link, f.Topic, own, seen, others, writers, foreign, number(f.Totals.Aborted), number(f.Totals.GapRecords), stamped, copied, number(int64(f.Incarnation))}, gapNotes(f)...)
	}
	return t
}

func gapNotes(f admin.FlowStatus) []string {
	g := f.Totals.Gaps
	var out []string
	note := func(n int64, why string) {
		if n > 0 {
			out = append(out, fmt.Sprintf("gaps: %s: %s", plural(int(n), "offset"), why))
		}
	}
	note(g.Retention, "the source had deleted them")
	note(g.Copied, "the cluster that is read lacks them itself")
	note(g.Unreadable, "they could not be read")
	note(g.Truncated, "the source lost them after they were copied")
	note(g.Other, "another reason, which the log has")
	return out
}
