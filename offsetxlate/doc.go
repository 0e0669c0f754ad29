// Package offsetxlate translates offsets between a partition and its copy at another cluster, and decides from that where a
// consumer group may be placed.
//
// The offset map of a partition is a list of runs. Records at source offsets Src..Src+N-1 lie at destination offsets
// Dst..Dst+N-1, and a new run starts wherever one side has an offset that the other side has not:
//
//	source       0 1 2 3 4 M 6 7 8 A A M 12 13 |          M marker, A aborted, | covered end (14)
//	             └───┬───┘   └─┬─┘       └─┬─┘
//	destination  0 1 2 3 4   5 6 7 F X     10 11 |        F fence's marker, X written there by an application
//	runs         {0 0 5}     {6 5 3}      {12 10 2}
//
// Runs are packed, 2 or 3 bytes a gap, into pages of some 480 bytes, which are also what is stored:
//
//	Map ── page ── page ── page ── page, open run ── covered end
//	       └ thinned ┘     └─── exact ──────────┘
//
// Thinning joins runs: the joined run keeps how many records and how many gaps lie in it, not where the gaps are. An offset
// inside is answered with the lowest place that any arrangement of the gaps allows, and with the most records that any
// arrangement shows again.
//
// A group's place is kept in source coordinates, one for each origin partition: the maximum over the clusters where it
// consumed. Decide derives the place at one cluster from it:
//
//	commits at every cluster ──ToSource──> frontier of an origin partition ──ToDest──> place here
//	        (those of the chain of custody)     (only rises)                     (only rises)
//
// Invariants:
//   - No answer skips: every record of the origin that lies at the destination before the answer has a source offset below
//     the one that was asked for, and the same in reverse.
//   - Reread is an upper bound of the consumed records behind the answer, and 0 when Exact.
//   - The covered end never goes back; runs rise on both sides.
//   - Any prefix of what EncodeSince returns, stored over what was stored before, loads as a map that obeys the two above.
//   - A group's place only rises, at every cluster, and nothing is placed under a member.
//
// The package is pure: it must never read a clock, do I/O, lock, or start a goroutine. A Map is not safe for concurrent use.
// It must never answer with the end of a log: what the map does not cover, it does not know.
package offsetxlate
