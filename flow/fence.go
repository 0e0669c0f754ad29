package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
)

// fence shuts older owners of a writer out of partitions, and proves it.
//
// A broker takes batches of an older epoch until the partition holds a marker of a newer one. So an empty transaction is
// aborted over all partitions, and a partition counts as fenced when the own marker was read back from its log: that is below
// the high watermark, and every batch of an older epoch lies before it.
type fence struct {
	cluster *kafka.Cluster
	dir     *kafka.Directory
	txnID   string
	id      kafka.ProducerID
	plain   bool // there is none: transactions are not allowed. A partition is read up to its end, and nobody is shut out.
	kept    map[kafka.Spot]kept
}

// reach says from where on a partition is read, and whose batches are looked for there.
type reach struct {
	from  offsetxlate.Dest
	owner kafka.ProducerID // of the epoch of which progress speaks
	ids   map[int64]bool   // by which this writer is known
	clear offsetxlate.Dest // up to where nothing is by progress' owner; not looked into
}

// fenced is what a fence found in one partition.
type fenced struct {
	reach
	start   offsetxlate.Dest   // of the log
	end     offsetxlate.Dest   // of the log, before the fence
	marker  offsetxlate.Dest   // offset of the own marker
	before  *foreign           // the batch just before from, if the log holds it
	tail    []checkpoint.Batch // of the owner, from there up to the marker
	zombie  int64              // records there by other owners of this writer
	strange int64              // records there by anybody else
	last    *foreign           // where the log is not the one that was written to: the last batch in it that this writer wrote
	err     error              // not fenced, and why
}

// see takes a batch before the marker into account.
func (r *fenced) see(x foreign) {
	switch {
	case x.Base < r.from:
		r.before = &x
	case x.control:
	case x.writer == r.owner:
		r.tail = append(r.tail, x.Batch)
	case r.ids[x.writer.ID]:
		r.zombie += int64(x.Count)
	default:
		r.strange += int64(x.Count)
	}
}

// foreign is a batch in the destination's log and who wrote it.
type foreign struct {
	checkpoint.Batch
	writer  kafka.ProducerID
	control bool
	next    offsetxlate.Dest
	leader  int32 // leader epoch
}

const (
	fencePatience = 3 * time.Second // for a partition without a marker, after which it is taken out
	pollLog       = 20 * time.Millisecond
	fenceAgain    = time.Second // a partition without a marker after this is fenced again: the coordinator skips those without a leader
)

// raise fences ps, and reads each from just before its reach (or from its end before the fence) up to the marker. What could not be read in
// the time that there is goes on from there when it is fenced again.
func (f *fence) raise(ctx context.Context, ps []kafka.Partition, from map[kafka.Partition]reach) map[kafka.Partition]*fenced {
	out := make(map[kafka.Partition]*fenced, len(ps))
	ctx, cancel := context.WithTimeout(ctx, fencePatience)
	defer cancel()
	todo := f.ends(ctx, ps, from, out)
	if f.plain {
		f.readOn(ctx, todo, out)
		return out
	}
	todo = f.leaveOut(ctx, todo, out)
	for len(todo) > 0 && ctx.Err() == nil {
		open := f.mark(ctx, todo, out)
		f.readBack(ctx, open, out, time.Now().Add(fenceAgain))
		before := len(todo)
		if todo = f.unread(todo, out); len(todo) < before {
			break // those that are fenced don't wait for the others
		}
	}
	f.giveUp(todo, out)
	return out
}

// giveUp says of the partitions that are left why they are not fenced, and keeps the place of those that are still being read. The time that
// there is for a fence ends in the middle of a request as a rule.
func (f *fence) giveUp(todo []*scan, out map[kafka.Partition]*fenced) {
	for _, s := range todo {
		r := out[s.Partition]
		kept := f.keep(s, r)
		switch {
		case kept && s.at > s.from && (r.err == nil || errors.Is(r.err, context.DeadlineExceeded)):
			r.err = fmt.Errorf("%w: at offset %d of %d", errStillReading, s.at, r.end)
		case r.err != nil:
			r.err = fmt.Errorf("%w: %w", errNoMarker, r.err)
		default:
			r.err = errNoMarker
		}
	}
}

// keep remembers how far a partition was read that was not read up to where the fence began.
func (f *fence) keep(s *scan, r *fenced) bool {
	if s.at >= int64(r.end) {
		return false
	}
	found := *r
	found.err = nil
	f.kept[s.Spot()] = kept{s.at, found}
	return true
}

var (
	errNoMarker     = errors.New("the fence's marker did not appear in the log")
	errStillReading = errors.New("what was written since the last place is still being read")
)

// scan is one partition on the way to its marker.
type scan struct {
	kafka.Partition
	from int64 // where it began
	at   int64
	done bool
}

// kept is a partition of which too much had to be read for one fence.
type kept struct {
	at    int64
	found fenced
}

func isFinal(err error) bool {
	if err == nil {
		return false
	}
	switch kafka.Classify(err) {
	case kafka.Denied, kafka.Gone, kafka.Fenced, kafka.Refused:
		return true
	case kafka.Retry, kafka.Moved, kafka.Unreachable, kafka.Sequence, kafka.TooLarge:
		return false
	}
	return true
}
