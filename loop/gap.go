package loop

import "slices"

// GapReason is why a cluster has not got records. The values are stored.
type GapReason byte

// Reasons of gaps.
const (
	GapRetention GapReason = iota + 1 // the source had deleted them
	GapTooLarge                       // larger than the destination takes
	GapStart                          // the flow began behind them
	GapCopied                         // the source has this gap itself, and nobody else had them
	GapImport                         // below an import's cut at the origin: nobody will ever have them from there
	GapUnknown                        // the notes of gaps were lost, and the log has a jump there
	GapTool                           // another tool had copied them, so they are there, and look as if they were produced there
	lastGapReason
)

func (r GapReason) String() string {
	if r == 0 || r >= lastGapReason {
		return "unknown"
	}
	return [...]string{"retention", "too large", "start", "gap at the source", "import", "notes lost", "copied by another tool"}[r-1]
}

// Gap is a range of an origin partition that a cluster has passed without its records: From is in it, To is not.
type Gap struct {
	From, To Coordinate
	Why      GapReason
}

// Gaps are the gaps of one origin partition at one cluster, in their order, and none touches another of the same reason. A gap is
// for good: the frontier lies behind it.
type Gaps []Gap

// Add puts in a gap that lies behind all others, as every new one does.
func (g Gaps) Add(x Gap) Gaps {
	if !x.From.Less(x.To) {
		return g
	}
	if n := len(g); n > 0 {
		last := &g[n-1]
		if x.From.Less(last.To) {
			x.From = last.To
		}
		if !x.From.Less(x.To) {
			return g
		}
		if x.From == last.To && x.Why == last.Why {
			last.To = x.To
			return g
		}
	}
	return append(g, x)
}

// Below are the gaps, and parts of gaps, below a coordinate.
func (g Gaps) Below(c Coordinate) Gaps {
	for len(g) > 0 && c.Less(g[len(g)-1].To) {
		last := g[len(g)-1]
		g = g[:len(g)-1]
		if last.From.Less(c) {
			last.To = c
			g = append(slices.Clone(g), last)
		}
	}
	return g
}

// Between returns the first gap that has something of what lies from one coordinate to before another.
func (g Gaps) Between(from, to Coordinate) (Gap, bool) {
	i, _ := slices.BinarySearchFunc(g, from, func(x Gap, at Coordinate) int {
		if at.Less(x.To) {
			return 1
		}
		return -1
	})
	if i < len(g) && g[i].From.Less(to) {
		return g[i], true
	}
	return Gap{}, false
}
