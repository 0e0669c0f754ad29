package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// badPlace is where the source's log could not be read.
type badPlace struct {
	at  offsetxlate.Source
	why string
}

const corruptHint = "look at the source's log with kafka-dump-log.sh; another replica may hold it whole: make it the leader; or set on_gap: continue, to go on behind it and record the gap"

// cutError says that a batch came in parts, as its length is larger than all that the broker gives: brokers give a first batch whole, whatever
// the limits of a fetch are (KIP-74).
type cutError struct{ size, got int }

func (e *cutError) Error() string {
	return fmt.Sprintf("its length says %d bytes, of which the broker has %d", e.size, e.got)
}

// corrupt stops the part at a batch that can't be believed. Where the topology says so, and no other source has what is in it, the shard
// looks whether it can be read after all, and for what can be read behind it.
func (p *part) corrupt(err error) {
	why := err.Error()
	if c, ok := errors.AsType[*batch.CorruptError](err); ok {
		why = c.Reason
	}
	if p.bad == nil || p.bad.at != p.at {
		p.stats.Corrupt++
	}
	p.bad = &badPlace{p.at, why}
	p.stop(Failed, kafka.Because(kafka.CorruptBatch, fmt.Sprintf("the batch at source offset %d can't be read: %s", p.at, why), corruptHint))
	if p.OnGap == "continue" && p.alone(p.frontier(p.assigned)) {
		p.owner.outOfRange(p)
	}
}

// cannotRead says whether the part stopped at a batch that it can't read.
func (p *part) cannotRead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.torn()
}

func (p *part) torn() bool { return p.state == Failed && p.reason.Code == kafka.CorruptBatch }

// unreadable is where the part stopped for good at a batch that it can't read; false unless it is to step over that.
func (p *part) unreadable() (at offsetxlate.Source, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.torn() || p.OnGap != "continue" {
		return 0, false
	}
	return p.at, true
}

// stepOver has the part go on at next, where it stood at a batch that could not be read. Where it is not read at its origin, the origin's
// records go on from an offset there that the source's map tells: what is before it is lacking here.
func (p *part) stepOver(at, next, origin offsetxlate.Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.torn() || p.at != at {
		return
	}
	p.retryAt = time.Now()
	if next == at || p.bad == nil {
		return // it can be read now
	}
	why := p.bad.why
	p.stepped = fmt.Sprintf("source offsets %d to %d could not be read, and were left out: %s", at, next-1, why)
	if before := p.frontier(p.assigned); p.hub() && int64(origin) > before.Offset {
		to := before
		to.Offset = int64(origin)
		p.prog.Gaps = p.prog.Gaps.Add(loop.Gap{From: before, To: to, Why: loop.GapCopied})
		p.passTo(to)
	}
	p.skipGap(next, why)
}

// nextReadable finds the first offset from at on from which the source's log can be read; end if there is none before it. It goes by batches
// that were read: what a batch says of itself that can't be believed is not believed either.
func (s *Source) nextReadable(ctx context.Context, p kafka.Partition, at, end int64) (int64, error) {
	found, err := s.look(ctx, p, at)
	if err != nil || found == at {
		return found, err
	}
	last := at // nothing can be read there
	for step := int64(1); at+step < end; step *= 2 {
		found, err := s.look(ctx, p, at+step)
		if err != nil {
			return 0, err
		}
		if found >= 0 {
			return s.firstReadable(ctx, p, last, at+step, found)
		}
		last = at + step
	}
	return end, nil
}

// firstReadable narrows the answer down: at last nothing can be read, and at hi the batch at best.
func (s *Source) firstReadable(ctx context.Context, p kafka.Partition, last, hi, best int64) (int64, error) {
	for hi-last > 1 {
		mid := last + (hi-last)/2
		found, err := s.look(ctx, p, mid)
		switch {
		case err != nil:
			return 0, err
		case found < 0:
			last = mid
		default:
			hi, best = mid, min(best, found)
		}
	}
	return best, nil
}

// look reads at an offset, and returns the first one from there on whose batch can be read; -1 where the source has something there and
// nothing of it can be. Where it gives nothing at all there is an error: that proves nothing.
func (s *Source) look(ctx context.Context, p kafka.Partition, at int64) (int64, error) {
	w := kafka.Want{Partition: p, Offset: at, MaxBytes: fetchPartBytes, LastEpoch: -1}
	got, err := s.Control.Fetch(ctx, kafka.FetchRequest{Broker: p.Leader, Wants: []kafka.Want{w}, MaxWait: time.Second, MaxBytes: fetchMaxBytes})
	switch {
	case err != nil:
		return 0, err
	case errors.Is(got[0].Err, kerr.CorruptMessage):
		return -1, nil
	case got[0].Err != nil:
		return 0, fmt.Errorf("reading %s at offset %d: %w", p, at, got[0].Err)
	case len(got[0].RecordBatches) == 0:
		return 0, fmt.Errorf("the source gives nothing of %s at offset %d", p, at)
	}
	return readableFrom(got[0].RecordBatches, at), nil
}

// readableFrom returns the first offset from at on whose batch can be read in full; -1 if there is none.
func readableFrom(data []byte, at int64) int64 {
	rec := newRecoder()
	for len(data) > 0 {
		b, rest, err := batch.Next(data)
		if b == nil {
			break
		}
		data = rest
		if err != nil || b.NextOffset() <= at {
			continue
		}
		if b.Magic() < 2 || !b.Control() && b.Count() > 0 {
			_, _, err = rec.recode(b, at)
		}
		if err == nil {
			return max(at, b.BaseOffset())
		}
	}
	return -1
}

// starvedAfter is much longer than a broker waits before it says that there is nothing.
const starvedAfter = 30 * time.Second

// starved says whether the source has more, and gives nothing of it though it is asked. It is called with the lock held.
func (p *part) starved() bool {
	asks := p.state == CatchingUp && len(p.queue)+len(p.busy) == 0 && p.limit == nil
	return asks && int64(p.at) < p.stats.SourceStable && time.Since(p.movedAt) > starvedAfter
}

// mayBeCut is true of a batch that came in parts for the first time: it is asked for once more.
func (p *part) mayBeCut(err error) bool {
	if _, ok := errors.AsType[*cutError](err); !ok || p.cutAt == p.at+1 {
		return false
	}
	p.cutAt = p.at + 1
	return true
}

// unsound says what is wrong with a batch that the destination refused. One that is copied whole is not read before it is sent: that its
// records are as many as it says is found by the broker that takes it.
func unsound(c *chunk) error {
	rec := recoders.Get().(*recoder)
	defer recoders.Put(rec)
	err := rec.check(c.Data)
	if _, ok := errors.AsType[*batch.CorruptError](err); ok {
		return err
	}
	return nil
}
