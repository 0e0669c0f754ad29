package admin

import "github.com/meshd/meshd/flow"

// fields are all counters of a sum, in one order.
func (t *Totals) fields() []*int64 {
	r, g := &t.Ruled, &t.Gaps
	return []*int64{
		&t.Records, &t.Bytes, &t.Aborted, &t.GapRecords, &t.Corrupt, &g.Retention, &g.Copied, &g.Unreadable, &g.Truncated, &g.Other,
		&r.Own, &r.Seen, &r.OtherSource, &r.ByWriter, &r.ByApplication, &r.Stamped, &r.CopiedHeader,
	}
}

func (t Totals) plus(o Totals) Totals {
	add := o.fields()
	for i, v := range t.fields() {
		*v += *add[i]
	}
	return t
}

// since is what came after a count, and all of it where something counts from 0 again.
func (t Totals) since(before Totals) Totals {
	out, less := t, before.fields()
	for i, v := range out.fields() {
		if *v -= *less[i]; *v < 0 {
			return t
		}
	}
	return out
}

func totalsOf(s flow.Stats) Totals {
	return Totals{Records: s.Records, Bytes: s.Bytes, Aborted: s.Aborted, GapRecords: s.GapRecords, Corrupt: s.Corrupt, Gaps: s.Lacks, Ruled: s.Ruled}
}
