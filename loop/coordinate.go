package loop

import (
	"cmp"
	"fmt"
	"math"
)

// Coordinate is the place of a record in its origin partition. The incarnation is raised when the topic was made again, the leader epoch
// when another broker came to lead: what was written after an unclean election lies above what was lost by it, whatever its offset.
type Coordinate struct {
	Incarnation int32
	Epoch       int32 // leader epoch of its batch there; -1 where the origin told none
	Offset      int64
}

// Start is below every coordinate.
var Start = Coordinate{Epoch: -1}

// Infinite is above every coordinate: a cluster's own frontier at home.
var Infinite = Coordinate{math.MaxInt32, math.MaxInt32, math.MaxInt64}

// Compare orders coordinates as tuples.
func (c Coordinate) Compare(o Coordinate) int {
	return cmp.Or(cmp.Compare(c.Incarnation, o.Incarnation), cmp.Compare(c.Epoch, o.Epoch), cmp.Compare(c.Offset, o.Offset))
}

// Less says whether c lies before o.
func (c Coordinate) Less(o Coordinate) bool {
	if c.Incarnation != o.Incarnation {
		return c.Incarnation < o.Incarnation
	}
	if c.Epoch != o.Epoch {
		return c.Epoch < o.Epoch
	}
	return c.Offset < o.Offset
}

// Next is the first coordinate that can follow c.
func (c Coordinate) Next() Coordinate {
	c.Offset++
	return c
}

func (c Coordinate) String() string { return fmt.Sprintf("%d.%d.%d", c.Incarnation, c.Epoch, c.Offset) }
