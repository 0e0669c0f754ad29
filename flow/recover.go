package flow

import (
	"context"
	"fmt"
	"log/slog"
	"math"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// diverged says whether the log behind a fence is not the one of which progress speaks: the batch just before its place would be the last
// one that its owner wrote, or its owner's marker. Where compaction or retention took that batch away, nothing speaks against the log.
func diverged(prog checkpoint.Progress, f *fenced) bool {
	b := f.before
	switch {
	case f.end < prog.Dest:
		return true
	case b == nil:
		return false
	case b.next != prog.Dest || b.writer != prog.Owner:
		return true
	}
	return !b.control && sequence(int64(b.Sequence)+int64(b.Count)) != sequence(prog.Written)
}

// lastOwn finds the last batch below a place that was written under a producer id, in ever longer stretches from the end.
func (f *fence) lastOwn(ctx context.Context, at kafka.Partition, r *fenced) error {
	for span := offsetxlate.Dest(1000); ; span *= 10 {
		from := max(r.start, r.marker-span)
		if err := f.scan(ctx, at, from, r.marker, func(b foreign) bool {
			if !b.control && r.ids[b.writer.ID] {
				r.last = &b
			}
			return true
		}); err != nil || r.last != nil || from == r.start {
			return err
		}
	}
}

// scan reads who wrote the batches of a partition from one offset up to another, as long as see wants more.
func (f *fence) scan(ctx context.Context, at kafka.Partition, from, to offsetxlate.Dest, see func(foreign) bool) error {
	return f.cluster.Batches(ctx, at, int64(from), int64(to), func(b batch.Batch) (bool, error) { return see(foreignOf(b)), nil })
}

// recoverPart is for a destination that lost records which it had acknowledged, in an unclean election. Progress lies ahead of what is
// there, so the map says where to go on: behind the last batch of this writer that is left.
func (l *life) recoverPart(p *part, o *opening) error {
	prog, f := o.prog, o.fence
	m, err := l.stored.pages.Map(p.mapKey())
	if err != nil {
		return err
	}
	left := f.start
	if f.last != nil {
		left = f.last.next
	}
	// An election that took the marker, too, let an owner that had been replaced write where the map has what was lost.
	zombie := f.last != nil && prog.DestEpoch >= 0 && f.last.leader > prog.DestEpoch
	if zombie || m == nil || m.End().Dst < left || !m.TruncateDest(left) {
		if o.left == nil {
			return lostBehind(p.Remote, left)
		}
		p.forgetMap(l.stored.pages)
		m = offsetxlate.NewUnknown(offsetxlate.Point{Src: offsetxlate.Source(o.left.Offset), Dst: left})
	}
	p.xlate = m
	p.mark = 0 // all of it, for what is stored goes further
	next := loop.Coordinate{Incarnation: prog.Incarnation, Epoch: -1, Offset: int64(m.End().Src)}
	if o.left != nil { // with the leader epoch: what lies below must not come once more from another source
		next = *o.left
	}
	p.stats.Recopied += int64(prog.Source) - next.Offset
	l.log.Warn("the destination lost records that it had acknowledged: they are copied again", slog.String("topic", p.Topic), slog.Int("partition", int(p.Number)),
		slog.Int64("from", next.Offset), slog.Int64("to", int64(prog.Source)), slog.String("hint", "an unclean leader election took them; set unclean.leader.election.enable=false at the destination"))
	if err := m.AdvanceDest(f.marker + 1); err != nil {
		return fmt.Errorf("completing the offset map of %s: %w", p.Key(), err)
	}
	p.inherit(prog)
	written := int64(0) // a new epoch counts from 0
	if f.last != nil && f.last.writer == l.id {
		written = prog.Unwrap(sequence(int64(f.last.Sequence) + int64(f.last.Count)))
	}
	p.setIncarnation(next.Incarnation)
	p.prog.Gaps = prog.Gaps.Below(next)
	p.moveTo(srcPlace{offsetxlate.Source(next.Offset), next.Epoch}, written, f.marker+1)
	p.readBehind(next)
	return nil
}

// readBehind has a part that is not running read behind a coordinate: at its origin there, and elsewhere where it will be found.
func (p *part) readBehind(next loop.Coordinate) {
	at := srcPlace{offsetxlate.Source(next.Offset), p.sieve.epoch(next.Epoch)}
	if p.hub() {
		at = srcPlace{nowhere, -1}
	}
	p.readFrom(at)
}

// forgetMap has the pages of a map deleted: none of them may become one of another map's.
func (p *part) forgetMap(pages checkpoint.Pages) {
	p.stale = pages.Keys(p.Key(), math.MaxInt32)
}

func lostBehind(remote string, at offsetxlate.Dest) error {
	return kafka.Because(kafka.ResumePointLost, fmt.Sprintf("%s lost records behind offset %d that it had acknowledged, and the offset map does not say which", remote, at),
		"an unclean leader election lost them; delete the copy and make it again, empty and with as many partitions: it is copied anew then")
}

// closeGap tells what retention took of a log behind the place where progress stood. The first batch that is left says how many records its
// epoch had written before, and where none is left its leader remembers the last sequence. Where they lay nobody knows any more; it was before
// what is left, and so the map has them: who lacks them must not take what is there for all that was.
func closeGap(prog *checkpoint.Progress, f *fenced, remembered int64) error {
	n := remembered
	if len(f.tail) > 0 {
		n = prog.Unwrap(f.tail[0].Sequence)
	}
	if n < prog.Written {
		return kafka.Because(kafka.ResumePointLost, fmt.Sprintf("retention took everything from offset %d to %d, and no broker remembers how much that was", prog.Dest, f.start),
			"raise the retention of the copy; delete it and make it again, empty and with as many partitions: it is copied anew then")
	}
	if n == prog.Written {
		prog.Advance(n, f.start)
	}
	for at := f.start; n > prog.Written; {
		count := min(n-prog.Written, math.MaxInt32)
		n, at = n-count, at-offsetxlate.Dest(count)
		f.tail = append([]checkpoint.Batch{{Base: at, Count: int32(count), Sequence: sequence(n)}}, f.tail...)
	}
	return nil
}
