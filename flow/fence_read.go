package flow

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/offsetxlate"
)

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

// ends finds where to begin reading: nothing before the end of the log can be the marker of a fence that is yet to be raised.
func (f *fence) ends(ctx context.Context, ps []kafka.Partition, from map[kafka.Partition]reach, out map[kafka.Partition]*fenced) (todo []*scan) {
	for i, at := range f.bounds(ctx, ps) {
		p, r := ps[i], &fenced{err: at.Err}
		out[p] = r
		if r.err == nil {
			to, ok := from[p]
			todo = append(todo, f.begin(p, r, to, ok, at.Start, at.End))
		}
	}
	return todo
}

// bounds asks where the logs begin and end. A leader that hangs leaves time for what the others lead.
func (f *fence) bounds(ctx context.Context, ps []kafka.Partition) []kafka.Bounds {
	ctx, cancel := context.WithTimeout(ctx, fencePatience/2)
	defer cancel()
	all, _ := f.cluster.Bounds(ctx, ps) // each has the error
	return all
}

func (f *fence) begin(p kafka.Partition, r *fenced, to reach, reaches bool, start, end int64) *scan {
	s := &scan{Partition: p, at: end}
	r.start, r.end = offsetxlate.Dest(start), offsetxlate.Dest(end)
	if !reaches {
		r.reach = reach{from: r.end, owner: kafka.ProducerID{ID: -1}} // whatever comes is somebody else's
		return s
	}
	r.reach = to
	s.at = min(end, max(start, int64(to.from)-1, int64(to.clear)))
	if k, ok := f.kept[p.Spot()]; ok && k.found.from == to.from && k.found.owner == to.owner && k.at >= start {
		s.at, *r = k.at, k.found
		r.start = offsetxlate.Dest(start)
	}
	delete(f.kept, p.Spot())
	s.from = s.at
	return s
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
		b.Control(), offsetxlate.Dest(b.NextOffset()), b.PartitionLeaderEpoch(),
	}
}
