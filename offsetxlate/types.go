package offsetxlate

import "errors"

// Source is an offset in the partition at its origin.
type Source int64

// Dest is an offset in the copy of a partition at a destination cluster.
type Dest int64

// Point is the same place in both logs: all records of the origin below Src lie below Dst, and none at or behind it does.
type Point struct {
	Src Source
	Dst Dest
}

// How says in what way an answer was found. The values are shown to people.
type How string

// Ways in which an answer is found.
const (
	HowRun        How = "run"                   // the map knows the record
	HowEnd        How = "end"                   // every covered record lies before it
	HowStart      How = "start"                 // below the map's start, where the destination holds nothing of the origin
	HowThinned    How = "thinned"               // inside a joined run: the largest safe place
	HowNotCovered How = "not covered yet"       // beyond the covered end: safe, and it will rise
	HowBelowStart How = "below the map's start" // what the map lost lies there: the lowest offset is the only safe place
)

// Answer is a translated offset.
type Answer[O Source | Dest] struct {
	Offset O
	Exact  bool // the very place, not a safe one before it
	How    How
	Reread int64 // consumed records that lie behind Offset, or will, and are seen again; at most
}

// MaxOffset is the highest offset that a map takes.
const MaxOffset = 1 << 60

// Errors of a map.
var (
	ErrBackwards = errors.New("offset goes back")
	ErrRange     = errors.New("offset or count out of range")
	ErrCorrupt   = errors.New("corrupt offset map")
	ErrFuture    = errors.New("written by a newer version")
)
