package checkpoint

import (
	"context"
	"fmt"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// Written is what a cluster noted of one partition of an origin.
type Written struct {
	There    bool // something was noted
	Progress Progress
	Map      *offsetxlate.Map // nil: none
	// Maps are those of all incarnations of the topic of which there are some; Map is that of the last one.
	Maps map[int32]*offsetxlate.Map
}

// Written is what the cluster noted of a partition, named as at the origin.
func (h *Holdings) Written(topic string, partition int32) (w Written, err error) {
	w.Progress, w.There = h.Progress(topic, partition)
	w.Maps = map[int32]*offsetxlate.Map{}
	for _, n := range h.Maps.Incarnations(topic, partition) {
		if w.Map, err = h.Maps.In(topic, partition, n); err != nil {
			return w, err
		}
		w.Maps[n] = w.Map
	}
	return w, nil
}

// RefreshPartitions reads what was written, before the call, of all partitions of one shard: of progress, and then of maps, which are
// stored before it. The error is ErrNoTable where nothing of the origin was ever written there.
func (h *Holdings) RefreshPartitions(ctx context.Context, shard int) error {
	if err := h.RefreshShard(ctx, shard); err != nil {
		return err
	}
	return h.Maps.RefreshShard(ctx, shard)
}

// Place says whether the origin's writer wrote the record of batch b at offset, whose header has a coordinate (loop.Map). fresh says that
// all was read after the batch had been fetched. The answer is Here or Elsewhere only where it is proven, and NotCovered where it may be
// told later, however long that takes:
//
//   - A writer notes itself as the owner before its first batch, and the place behind its predecessors' last ones. So what lies behind the
//     noted place is the owner's, or no writer's.
//   - What lies below the noted frontier at the origin was written before the noted place.
//   - What lies before the noted place is told by the map alone, when that covers it.
func (w Written) Place(b loop.Batch, at loop.Coordinate, offset int64, fresh bool) loop.Place {
	p, y := w.Progress, offsetxlate.Dest(offset)
	asNoted := w.There && b.LeaderEpoch <= p.DestEpoch // it is of the log that was known then
	switch {
	case asNoted && w.Map != nil && y < w.Map.End().Dst:
		return w.mapped(at, y)
	case asNoted && y >= p.Dest && at.Less(p.Frontier()):
		return loop.Elsewhere
	case !fresh:
		return loop.NotCovered
	case w.There && b.ProducerID == p.Owner.ID:
		return loop.Here
	case !w.There && w.Map == nil, w.There && (y >= p.Dest || !asNoted):
		return loop.Elsewhere
	}
	return loop.NotCovered
}

// Say tells what was noted, for people.
func (w Written) Say() string {
	if !w.There {
		return "no place is noted there"
	}
	if w.Map == nil {
		return fmt.Sprintf("a place up to offset %d is noted there, and no map", w.Progress.Dest)
	}
	return fmt.Sprintf("a place up to offset %d is noted there, and a map up to %d", w.Progress.Dest, w.Map.End().Dst)
}

// mapped is for a place that the map covers. Where it was thinned, or has lost its beginning, it may not tell.
func (w Written) mapped(at loop.Coordinate, y offsetxlate.Dest) loop.Place {
	holds, known := w.Map.Holds(y)
	switch noted := w.Progress.Incarnation; {
	case at.Incarnation < noted && y < w.Map.Start().Dst: // it had a map of its own
		return loop.NotCovered
	case known && holds:
		return loop.Here
	case !known && at.Incarnation == noted && w.Map.May(offsetxlate.Source(at.Offset), y):
		return loop.NotCovered
	}
	return loop.Elsewhere
}
