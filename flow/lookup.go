package flow

import (
	"slices"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// lookUp says, by the maps of a cluster that is not the origin, where in its log what comes at next or behind it begins, at the latest; and the
// lowest coordinate that the log, which begins at start, still holds, if that lies behind next.
func lookUp(maps *checkpoint.Maps, topic string, n int32, next loop.Coordinate, start offsetxlate.Dest) (at offsetxlate.Dest, first loop.Coordinate, err error) {
	m, err := maps.In(topic, n, next.Incarnation)
	if err == nil && m == nil {
		m, err = maps.Of(topic, n)
	}
	if err != nil || m == nil {
		return start, loop.Start, err
	}
	all := maps.Incarnations(topic, n)
	switch {
	case slices.Contains(all, next.Incarnation):
		at = m.ToDest(offsetxlate.Source(next.Offset)).Offset
	case all[len(all)-1] < next.Incarnation: // all that it has is older
		at = m.End().Dst
	}
	if at > start {
		return at, loop.Start, nil
	}
	if first, err = firstAt(maps, topic, n, start); first.Incarnation == next.Incarnation {
		first.Epoch = next.Epoch
	}
	return start, first, err
}

// firstAt is the lowest coordinate of which a log still holds the record, if it lost some before; its leader epoch is not told. An incarnation of
// which nothing is lost tells nothing of the one before.
func firstAt(maps *checkpoint.Maps, topic string, n int32, start offsetxlate.Dest) (loop.Coordinate, error) {
	for _, inc := range slices.Backward(maps.Incarnations(topic, n)) {
		m, err := maps.In(topic, n, inc)
		if err != nil {
			return loop.Start, err
		}
		if x := m.ToSource(start).Offset; start > m.Start().Dst && x > m.Start().Src {
			return loop.Coordinate{Incarnation: inc, Epoch: -1, Offset: int64(x)}, nil
		}
	}
	return loop.Start, nil
}
