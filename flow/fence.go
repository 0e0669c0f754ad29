package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
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

// leaveOut takes out the partitions whose markers would not be written: the coordinator tries these for as long as it takes, and until
// then this writer has no other transaction.
func (f *fence) leaveOut(ctx context.Context, todo []*scan, out map[kafka.Partition]*fenced) (rest []*scan) {
	if len(todo) == 0 {
		return nil
	}
	few, err := f.cluster.TooFew(ctx, partitionsOf(todo))
	if err != nil {
		for _, s := range todo {
			f.keep(s, out[s.Partition])
		}
		note(todo, out, err)
		return nil
	}
	for _, s := range todo {
		if r, ok := few[s.Spot()]; ok {
			f.keep(s, out[s.Partition])
			out[s.Partition].err = r
			continue
		}
		rest = append(rest, s)
	}
	return rest
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

// readOn reads partitions up to their ends, where there is no fence.
func (f *fence) readOn(ctx context.Context, todo []*scan, out map[kafka.Partition]*fenced) {
	for _, s := range todo {
		r := out[s.Partition]
		r.marker = r.end - 1
		r.err = f.scan(ctx, s.Partition, offsetxlate.Dest(s.at), r.end, func(x foreign) bool {
			r.see(x)
			s.at = int64(x.next)
			return true
		})
		if ctx.Err() != nil && s.at < int64(r.end) {
			r.err = nil
			f.giveUp([]*scan{s}, out)
		}
	}
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

// ends finds where to begin reading: nothing before the end of the log can be the marker of a fence that is yet to be raised.
func (f *fence) ends(ctx context.Context, ps []kafka.Partition, from map[kafka.Partition]reach, out map[kafka.Partition]*fenced) (todo []*scan) {
	starts, ends, err := f.bounds(ctx, ps)
	for i, p := range ps {
		r := &fenced{err: err}
		out[p] = r
		if err == nil {
			r.err = cmp.Or(starts[i].Err, ends[i].Err)
		}
		if r.err == nil {
			to, ok := from[p]
			todo = append(todo, f.begin(p, r, to, ok, starts[i].At, ends[i].At))
		}
	}
	return todo
}

// bounds asks where the logs begin and end. A leader that hangs leaves time for what the others lead.
func (f *fence) bounds(ctx context.Context, ps []kafka.Partition) (starts, ends []kafka.Offset, err error) {
	ctx, cancel := context.WithTimeout(ctx, fencePatience/2)
	defer cancel()
	var wg sync.WaitGroup
	var serr error
	wg.Go(func() { starts, serr = f.cluster.Offsets(ctx, ps, kafka.Start) })
	ends, err = f.cluster.Offsets(ctx, ps, kafka.End)
	wg.Wait()
	return starts, ends, errors.Join(serr, err)
}

func (f *fence) begin(p kafka.Partition, r *fenced, to reach, reaches bool, start, end int64) *scan {
	s := &scan{Partition: p, at: end}
	r.start, r.end = offsetxlate.Dest(start), offsetxlate.Dest(end)
	if !reaches {
		r.reach = reach{from: r.end, owner: kafka.ProducerID{ID: -1}} // whatever comes is somebody else's
		return s
	}
	r.reach = to
	s.at = min(end, max(start, int64(to.from)-1))
	if k, ok := f.kept[p.Spot()]; ok && k.found.from == to.from && k.found.owner == to.owner && k.at >= start {
		s.at, *r = k.at, k.found
		r.start = offsetxlate.Dest(start)
	}
	delete(f.kept, p.Spot())
	s.from = s.at
	return s
}

// mark writes the markers: one transaction over every partition that the coordinator takes. The coordinator adds all or none,
// so what it refuses is left out and the others go again.
func (f *fence) mark(ctx context.Context, todo []*scan, out map[kafka.Partition]*fenced) []*scan {
	for len(todo) > 0 && ctx.Err() == nil {
		coordinator, err := f.cluster.Coordinator(ctx, f.txnID)
		var errs []error
		if err == nil {
			errs, err = f.cluster.AddPartitions(ctx, coordinator, f.txnID, f.id, partitionsOf(todo))
		}
		if err == nil {
			var refused bool
			if todo, refused, err = sift(todo, errs, out); err == nil && refused {
				continue
			}
		}
		if err == nil {
			err = f.cluster.AbortTxn(ctx, coordinator, f.txnID, f.id)
		}
		if err == nil {
			return todo
		}
		note(todo, out, err)
		if isFinal(err) || kafka.Sleep(ctx, 20*time.Millisecond) != nil {
			return nil
		}
	}
	return nil
}

func partitionsOf(todo []*scan) []kafka.Partition {
	ps := make([]kafka.Partition, len(todo))
	for i, s := range todo {
		ps[i] = s.Partition
	}
	return ps
}

func note(todo []*scan, out map[kafka.Partition]*fenced, err error) {
	for _, s := range todo {
		out[s.Partition].err = err
	}
}

// sift takes out what the coordinator refuses for good; err is one that concerns all, such as a transaction that still ends.
func sift(todo []*scan, errs []error, out map[kafka.Partition]*fenced) (rest []*scan, refused bool, err error) {
	for i, s := range todo {
		e := errs[i]
		switch {
		case e == nil, errors.Is(e, kerr.OperationNotAttempted):
			out[s.Partition].err = nil
			rest = append(rest, s)
		case isFinal(e) && kafka.Classify(e) != kafka.Fenced:
			out[s.Partition].err = e
			refused = true
		default:
			return todo, false, fmt.Errorf("adding %s to the fence: %w", s.Partition, e)
		}
	}
	return rest, refused, nil
}

// readBack reads each partition up to the own marker, until all have been found or the time is over. A leader that hangs holds up what it
// leads, and nothing else.
func (f *fence) readBack(ctx context.Context, todo []*scan, out map[kafka.Partition]*fenced, until time.Time) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for ctx.Err() == nil {
		byLeader := map[int32][]*scan{}
		for _, s := range f.unread(todo, out) {
			if at, ok := f.dir.Get(s.Topic, s.Number); ok {
				byLeader[at.Leader] = append(byLeader[at.Leader], s)
			}
		}
		if len(byLeader) == 0 {
			return
		}
		var wg sync.WaitGroup
		for leader, ss := range byLeader {
			wg.Go(func() { f.readFrom(ctx, leader, ss, out) })
		}
		wg.Wait()
	}
}

// unread are the scans that have not come to the marker, and may.
func (f *fence) unread(todo []*scan, out map[kafka.Partition]*fenced) (rest []*scan) {
	for _, s := range todo {
		if !s.done && !isFinal(out[s.Partition].err) {
			rest = append(rest, s)
		}
	}
	return rest
}

// readFrom reads what one broker is believed to lead, as long as it does.
func (f *fence) readFrom(ctx context.Context, leader int32, ss []*scan, out map[kafka.Partition]*fenced) {
	for ctx.Err() == nil {
		if ss = f.unread(ss, out); len(ss) == 0 {
			return
		}
		f.read(ctx, leader, ss, out)
		for _, s := range ss {
			if at, ok := f.dir.Get(s.Topic, s.Number); !ok || at.Leader != leader {
				return
			}
		}
	}
}

func (f *fence) read(ctx context.Context, leader int32, ss []*scan, out map[kafka.Partition]*fenced) {
	req := kafka.FetchRequest{Broker: leader, MaxWait: pollLog, MaxBytes: 16 << 20}
	for _, s := range ss {
		at, _ := f.dir.Get(s.Topic, s.Number)
		at.LeaderEpoch = -1
		req.Wants = append(req.Wants, kafka.Want{Partition: at, Offset: s.at, MaxBytes: 1 << 20, LastEpoch: -1})
	}
	got, err := f.cluster.Fetch(ctx, req)
	if err != nil {
		note(ss, out, err)
		f.dir.Stale()
		_ = kafka.Sleep(ctx, 50*time.Millisecond) // ended early is found by the caller
		return
	}
	for i, s := range ss {
		f.look(s, got[i], out[s.Partition])
	}
}

// look goes through what was read of one partition, and remembers the batches before the marker.
func (f *fence) look(s *scan, g kafka.Got, r *fenced) {
	if r.err = g.Err; g.Err != nil {
		f.dir.Stale()
		return
	}
	for data := g.RecordBatches; len(data) > 0; {
		b, rest, err := batch.Next(data)
		if err != nil {
			if !errors.Is(err, batch.ErrPartial) {
				r.err = err
			}
			return
		}
		data = rest
		if b.NextOffset() <= s.at {
			continue
		}
		s.at = b.NextOffset()
		x := foreignOf(b)
		if x.control && x.writer == f.id && x.Base >= r.end { // one from before says nothing of what came since
			s.done, r.marker = true, x.Base
			return
		}
		r.see(x)
	}
}

func foreignOf(b batch.Batch) foreign {
	return foreign{
		// Not the number of its records: compaction lowers that, and keeps the range.
		checkpoint.Batch{Base: offsetxlate.Dest(b.BaseOffset()), Count: int32(b.NextOffset() - b.BaseOffset()), Sequence: b.BaseSequence()},
		kafka.ProducerID{ID: b.ProducerID(), Epoch: b.ProducerEpoch()},
		b.Control(), offsetxlate.Dest(b.NextOffset()),
	}
}
