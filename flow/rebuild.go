package flow

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// rebuilt is how far a partition has come by what its own log says: with identity naming each record that came from elsewhere has a
// header. Notes of gaps can't be found there: each jump may be one.
type rebuilt struct {
	next  loop.Coordinate
	gaps  loop.Gaps
	xlate *offsetxlate.Map
	count int64
	last  int32 // incarnation
}

// gapsMost bounds what is found of gaps. With more of them, an origin's transactions most likely, they can't be told from what is lacking.
const gapsMost = 1000

// rebuild reads a partition's log up to the marker of its fence, for what this writer wrote there under any of its ids. One that holds
// nothing of it has never begun.
func (l *life) rebuild(ctx context.Context, at kafka.Partition, o *opening) error {
	l.log.Warn("how far a partition had come is not known: its log is read for it", slog.String("partition", o.spec.Key()), slog.Int64("offsets", int64(o.fence.marker-o.fence.start)))
	ids, err := l.dst.Writers.ids(ctx, l.shard.id)
	if err != nil {
		return err
	}
	found := &rebuilt{next: loop.Start, xlate: offsetxlate.New(offsetxlate.Point{})}
	if o.fence.start > 0 {
		found.xlate = offsetxlate.NewUnknown(offsetxlate.Point{Dst: o.fence.start})
	}
	lost := func(err error) error { return notesLost(o.spec, l.progress.outlet.topic, err) }
	rec, said := newRecoder(), time.Now()
	err = l.fence.cluster.Batches(ctx, at, int64(o.fence.start), int64(o.fence.marker), func(b batch.Batch) (bool, error) {
		if ids[b.ProducerID()] && !b.Control() {
			if err := found.add(b, rec); err != nil {
				return false, lost(err)
			}
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			l.log.Info("reading how far a partition had come", slog.String("partition", o.spec.Key()), slog.Int64("at", b.NextOffset()), slog.Int64("of", int64(o.fence.marker)))
		}
		return true, nil
	})
	switch {
	case err != nil:
		return err
	case found.count == 0 && o.fence.start > 0 && o.lost:
		return lost(fmt.Errorf("its log begins at offset %d and holds nothing that came from %s", o.fence.start, o.spec.Origin))
	case len(found.gaps) > gapsMost:
		return lost(fmt.Errorf("its log has %d jumps, and each may be a gap", len(found.gaps)))
	}
	o.found = found
	return nil
}

func notesLost(spec Spec, topic string, err error) kafka.Reason {
	return kafka.Because(kafka.ResumePointLost, fmt.Sprintf("%s was lost, and how far %s had come from %s can't be found in its log: %v", topic, spec.Key(), spec.Origin, err),
		"see docs/OPERATIONS.md, lost progress")
}

// add takes the records of a batch that this writer wrote.
func (f *rebuilt) add(b batch.Batch, rec *recoder) error {
	if err := rec.open(b); err != nil {
		return fmt.Errorf("reading the batch at offset %d: %w", b.BaseOffset(), err)
	}
	for rec.r.Next() {
		at, err := stampOf(rec.r.Record())
		if err != nil {
			return err
		}
		if err := f.note(at, offsetxlate.Dest(rec.r.Record().Offset)); err != nil {
			return err
		}
	}
	return rec.r.Err()
}

func (f *rebuilt) note(at loop.Coordinate, place offsetxlate.Dest) error {
	if at.Less(f.next) {
		return fmt.Errorf("the record at offset %d comes from %s, and one from %s is before it", place, at, f.next)
	}
	if at.Incarnation > f.next.Incarnation && f.count > 0 { // how the one before ended nobody knows any more
		f.next = loop.Coordinate{Incarnation: at.Incarnation, Epoch: at.Epoch}
	}
	if f.count++; at != f.next {
		f.gaps = f.gaps.Add(loop.Gap{From: f.next, To: at, Why: loop.GapUnknown})
	}
	f.next = at.Next()
	src := offsetxlate.Source(at.Offset)
	if at.Incarnation > f.last {
		f.last, f.xlate = at.Incarnation, offsetxlate.New(offsetxlate.Point{Dst: place})
	}
	if src < f.xlate.End().Src && !f.xlate.TruncateSource(src) { // the origin lost what lay there
		return forgetting(src)
	}
	return f.xlate.Append(src, place, 1)
}

// stamps says whether records of a partition carry headers where they were copied to.
func stamps(s Spec) bool { return s.Identity && s.Provenance == loop.Headers }

// behind is the coordinate that follows the last record of a batch that this writer wrote.
func (f *fence) behind(ctx context.Context, at kafka.Partition, x *foreign) (loop.Coordinate, error) {
	gone := fmt.Errorf("the batch at offset %d of %s was deleted while it was looked for", x.Base, at)
	var next loop.Coordinate
	err := f.cluster.Batches(ctx, at, int64(x.Base), int64(x.next), func(b batch.Batch) (bool, error) {
		last, err := lastStamp(newRecoder(), b)
		next, gone = last.Next(), nil
		return false, err
	})
	return next, cmp.Or(err, gone)
}

// lastStamp is where the last record of a batch says that it comes from.
func lastStamp(rec *recoder, b batch.Batch) (loop.Coordinate, error) {
	_, last, err := rec.ends(b)
	if err != nil {
		return loop.Coordinate{}, err
	}
	return stampOf(last)
}

// stampOf is where a record says that it comes from.
func stampOf(r batch.Record) (loop.Coordinate, error) {
	value, ok := r.LastHeader(loop.HeaderKey)
	if !ok {
		return loop.Coordinate{}, fmt.Errorf("the record at offset %d has no header %s", r.Offset, loop.HeaderKey)
	}
	h, err := loop.DecodeHeader(value)
	if err != nil {
		return h.At, fmt.Errorf("the header of the record at offset %d: %w", r.Offset, err)
	}
	return h.At, nil
}

// rebuildPart goes on where its log says that it stood.
func (l *life) rebuildPart(p *part, f *rebuilt, fence *fenced) error {
	p.xlate, p.mark = f.xlate, 0
	p.forgetMap(l.stored.pages)
	if err := p.xlate.AdvanceDest(fence.marker + 1); err != nil {
		return fmt.Errorf("completing the offset map of %s: %w", p.Key(), err)
	}
	p.setIncarnation(f.next.Incarnation)
	p.prog.Gaps = f.gaps
	p.moveTo(srcPlace{offsetxlate.Source(f.next.Offset), f.next.Epoch}, 0, fence.marker+1)
	p.readBehind(f.next)
	l.log.Info("how far a partition had come was found in its log", slog.String("partition", p.Key()), slog.Int64("records", f.count), slog.String("next", f.next.String()))
	return nil
}
