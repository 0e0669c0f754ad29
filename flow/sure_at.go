package flow

import (
	"context"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// What an origin took back stays where it was copied to, and a map tells only of what came to lie there then. So the place of an offset says
// nothing of what lies before it, where the origin's leader changed since: that has to be seen in the log.

// parts are places in a hub's log, ever earlier ones, before what comes at next; nil where the origin has the leader still that it had then.
func parts(h *checkpoint.Holdings, spec Spec, next loop.Coordinate) ([]offsetxlate.Dest, error) {
	prog, noted := h.Progress(spec.Topic, spec.Number)
	same := prog.Incarnation < next.Incarnation || prog.Incarnation == next.Incarnation && prog.SourceEpoch <= next.Epoch
	if !spec.Identity || !noted || next.Epoch < 0 || same {
		return nil, nil
	}
	m, err := h.Maps.In(spec.Topic, spec.Number, next.Incarnation)
	out := []offsetxlate.Dest{}
	for back := int64(1); err == nil && m != nil && back <= next.Offset; back *= 2 {
		out = append(out, m.ToDest(offsetxlate.Source(next.Offset-back)).Offset)
	}
	return out, err
}

// sureAt is the first of some places, ever earlier ones, before which there is nothing that comes at next or behind it; the last one is where the log
// begins.
func (l *life) sureAt(ctx context.Context, p *part, next loop.Coordinate, places []offsetxlate.Dest) (offsetxlate.Dest, error) {
	ctx, cancel := context.WithTimeout(ctx, fencePatience)
	defer cancel()
	start := places[len(places)-1]
	for _, at := range places {
		if at <= start {
			break
		}
		if c, ok, err := p.src.stampedAt(ctx, p.Spec, at); err != nil || ok && c.Less(next) {
			return at, err
		}
	}
	return start, nil
}

// batchesMost is how far is looked for a batch of the origin's where one should be.
const batchesMost = 1000

// stampedAt is where the last record comes from of the first batch, at a place or behind it, that the origin's writer wrote; false where none is found.
func (s *Source) stampedAt(ctx context.Context, spec Spec, place offsetxlate.Dest) (c loop.Coordinate, ok bool, err error) {
	at, log, err := s.lookup(ctx, spec)
	if err != nil {
		return c, false, err
	}
	rec, n := newRecoder(), 0
	err = s.Control.Batches(ctx, at, int64(place), log.End, func(b batch.Batch) (bool, error) {
		if n++; b.Control() || s.registered.originOf(b.ProducerID()) != spec.OriginID {
			return n < batchesMost, nil
		}
		last, err := lastStamp(rec, b)
		c, ok = last, err == nil
		return false, err
	})
	return c, ok, err
}
