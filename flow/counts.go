package flow

import "github.com/meshd/meshd/loop"

// Ruled counts the records of a source's log by what package loop made of them. What is read again is counted again.
type Ruled struct {
	Own           int64 `json:"own"`            // left out: produced at the destination, they would come home
	Seen          int64 `json:"seen"`           // left out: at the destination already
	OtherSource   int64 `json:"other_source"`   // left out: of other origins, which are taken for themselves
	ByWriter      int64 `json:"by_writer"`      // left out: a writer of meshd's wrote them into a topic that is no copy
	ByApplication int64 `json:"by_application"` // left out: an application wrote them into a copy
	Stamped       int64 `json:"stamped"`        // got a header that says where they were produced
	CopiedHeader  int64 `json:"copied_header"`  // of those, had one already: an application had copied it
}

func (s *sieve) ruled() Ruled {
	c := &s.counts
	return Ruled{
		Own: c[loop.Own], Seen: c[loop.Seen], OtherSource: c[loop.OtherSource], ByWriter: c[loop.ByWriter], ByApplication: c[loop.ByApplication],
		Stamped: s.stamped, CopiedHeader: c[loop.CopiedHeader],
	}
}

// GapCounts counts offsets that were stepped over because the topology says so, by why the destination lacks what was there.
type GapCounts struct {
	Retention  int64 `json:"retention"`  // the source had deleted them
	Copied     int64 `json:"copied"`     // the source, which is not their origin, lacks them itself
	Unreadable int64 `json:"unreadable"` // they could not be read at the source
	Truncated  int64 `json:"truncated"`  // the source lost them after they were copied, and has others there
	Other      int64 `json:"other"`
}

// of is the counter for a reason.
func (g *GapCounts) of(why loop.GapReason) *int64 {
	switch why {
	case loop.GapRetention:
		return &g.Retention
	case loop.GapCopied:
		return &g.Copied
	default:
		return &g.Other
	}
}

// lose counts offsets that the part goes on without, in its total and in one of the counters of GapCounts, and says so.
func (p *part) lose(from, to int64, in *int64, why string) {
	n := max(0, to-from)
	p.stats.Gaps++
	p.stats.GapRecords += n
	*in += n
	hint := noPolicy
	if p.OnGap == "continue" {
		hint = byPolicy
	}
	p.owner.steppedOver(p.Spec, from, to, why, hint)
}

const (
	byPolicy = "on_gap: stop would have stopped here"
	noPolicy = "on_gap does not stop at this"
)
