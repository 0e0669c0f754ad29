package flow

import (
	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// lookUp says, by the maps of a cluster that is not the origin, where in its log what comes at next or behind it begins, at the latest; and the
// lowest coordinate that the log, which begins at start, still holds, if that may lie behind next.
func lookUp(maps *checkpoint.Maps, topic string, n int32, next loop.Coordinate, start offsetxlate.Dest) (at offsetxlate.Dest, first loop.Coordinate, err error) {
	m, err := maps.In(topic, n, next.Incarnation)
	if err != nil {
		return 0, first, err
	}
	inc, then, err := maps.Behind(topic, n, next.Incarnation)
	if err != nil {
		return 0, first, err
	}
	at, first = start, loop.Start
	switch {
	case m != nil:
		if at = max(start, m.ToDest(offsetxlate.Source(next.Offset)).Offset); start > 0 && at == start { // what is left of the log may begin behind what is lacking
			first = loop.Coordinate{Incarnation: next.Incarnation, Epoch: next.Epoch, Offset: int64(m.ToSource(start).Offset)}
		}
	case then == nil: // it has not come so far: all that it has is older
		last, err := maps.Of(topic, n)
		if err != nil || last == nil {
			return at, first, err
		}
		at = max(start, last.End().Dst)
	}
	if then != nil && then.ToDest(then.Start().Src).Offset < start { // the log begins within the next incarnation
		if x := then.ToSource(start).Offset; x > then.Start().Src {
			first = loop.Coordinate{Incarnation: inc, Epoch: -1, Offset: int64(x)}
		}
	}
	return at, first, nil
}
