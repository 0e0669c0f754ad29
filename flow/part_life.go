package flow

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// begin lets the part fetch and send: its fence is up and its place is in the progress topic.
func (p *part) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state = CatchingUp; p.at == nowhere {
		p.lookFor()
	}
}

// halt ends the part at once. What is under way may still arrive; its successor finds it in the log.
func (p *part) halt() {
	p.outlet.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = Stopped
	p.drop()
}

// drop gives back what is queued, and what was under way.
func (p *part) drop() {
	for _, c := range append(p.busy, p.queue...) {
		c.lease.done()
	}
	p.busy, p.flying = nil, 0
	p.queue, p.queued = nil, 0
}

var errBroken = errors.New("its epoch must end")

// settle stops sending, and returns when the batch under way is answered.
func (p *part) settle(ctx context.Context) error {
	p.mu.Lock()
	if p.broken {
		p.mu.Unlock()
		return errBroken
	}
	p.state = Draining
	if p.settled == nil {
		p.settled = make(chan struct{})
		p.tellSettled()
	}
	settled := p.settled
	p.mu.Unlock()
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the last batch of %s to be answered: %w", p.Key(), context.Cause(ctx))
	}
}

// tellSettled is called with the lock held. What is queued behind is dropped: it was never sent.
func (p *part) tellSettled() {
	if p.settled == nil || len(p.busy) > 0 {
		return
	}
	select {
	case <-p.settled:
	default:
		p.drop()
		p.forgetQueued()
		close(p.settled)
	}
}

// forgetQueued takes the part back to what is acknowledged.
func (p *part) forgetQueued() {
	p.goBack(p.written, p.passed)
	p.prog.Advance(p.written, p.dest)
	p.prog.Ahead, p.ahead = nil, true
}

// dropQueue takes the part back to what is under way.
func (p *part) dropQueue() {
	for _, c := range p.queue {
		c.lease.done()
	}
	if len(p.queue) > 0 {
		p.goBack(p.queue[0].first, p.queue[0].from)
	}
}

// goBack takes the part back to record number n and where it is read, behind all that is under way. What was noted of the dropped batches may not come again
// as it was: nothing more goes out before the progress topic forgot it too.
func (p *part) goBack(n int64, to srcPlace) {
	p.gone++
	p.queue, p.queued, p.assigned = nil, 0, n
	p.at, p.lastEpoch, p.movedAt = to.next, to.epoch, time.Now()
	p.forgetTurns(p.at)
	ahead := p.prog.Ahead
	for len(ahead) > 0 && ahead[len(ahead)-1].Written >= n {
		ahead = ahead[:len(ahead)-1]
	}
	p.prog.Ahead = ahead
	p.sieve.goBack(p.frontier(n))
	p.unnoted = min(p.unnoted, n)
	p.dirty = true
	p.owner.wakeFetch(p)
}

// frontier is the first coordinate that is not in the records before number n.
func (p *part) frontier(n int64) loop.Coordinate {
	return loop.Coordinate{Incarnation: p.prog.Incarnation, Epoch: p.prog.RunOf(n).Epoch, Offset: int64(p.prog.SourceOf(n))}
}

// rewind drops what is queued: it is fetched again from the last acknowledged place.
func (p *part) rewind() {
	p.drop()
	p.forgetQueued()
	p.tellSettled()
}

// resolveRange decides about a place that the source's log does not hold: [start, end) is what it holds.
func (p *part) resolveRange(start, end offsetxlate.Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.state != Backoff && p.state != Failed: // answered otherwise meanwhile
	case p.hub():
		p.lookFor()
	case p.at > end:
		p.tookBack(srcPlace{end, -1}, fmt.Sprintf("the source's log ends at offset %d, but was read up to %d", end, p.at))
	case p.at >= start:
		p.retryAt = time.Time{} // the log moved meanwhile
	case p.OnGap == "continue":
		p.goOnBehind(start)
	default:
		p.stop(Failed, kafka.Because(kafka.RetentionGap, fmt.Sprintf("the source deleted offsets %d to %d before they were copied", p.at, start-1),
			"set on_gap: continue to go on behind the gap and record it; raise the source's retention"))
	}
}

// goOnBehind steps over what the origin has deleted, as far as no other source could give it for a while.
func (p *part) goOnBehind(start offsetxlate.Source) {
	next := p.frontier(p.assigned)
	first := next
	first.Offset = int64(start)
	to, may := p.mayLeaveOut(next, first)
	if !may {
		p.stop(Failed, lacking(p.Spec, next, first))
		return
	}
	p.skipGap(max(p.at, offsetxlate.Source(to.Offset)), "the source deleted them before they were copied")
}

func (p *part) skipGap(start offsetxlate.Source, why string) {
	in := &p.stats.Lacks.Retention
	if p.bad != nil && p.bad.at == p.at {
		in = &p.stats.Lacks.Unreadable
	}
	p.lose(int64(p.at), int64(start), in, why)
	if !p.hub() {
		at := loop.Coordinate{Incarnation: p.prog.Incarnation, Epoch: p.metEpoch()}
		from, to := at, at
		from.Offset, to.Offset = int64(p.at), int64(start)
		p.prog.Gaps = p.prog.Gaps.Add(loop.Gap{From: from, To: to, Why: loop.GapRetention})
	}
	p.at, p.lastEpoch = start, -1
	p.retryAt = time.Time{}
	p.advanceIdle()
}

// metEpoch is the highest leader epoch of the origin that was met: the frontier never goes back to a lower one.
func (p *part) metEpoch() int32 {
	return p.sieve.epoch(max(p.lastEpoch, p.frontier(p.assigned).Epoch))
}

// listen has the part count as heard of whenever a lane was answered, from now on: a fetch session does not name what did not change.
func (p *part) listen(heard *atomic.Int64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.SeenAt = p.seenAt()
	p.heard, p.listens = heard, now
}

// hearNoMore ends that, unless it listens to another lane by now.
func (p *part) hearNoMore(heard *atomic.Int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.heard == heard {
		p.stats.SeenAt = p.seenAt()
		p.heard = nil
	}
}

// seenAt is when the source said last where it ends.
func (p *part) seenAt() time.Time {
	if p.heard == nil || p.stats.SeenAt.IsZero() {
		return p.stats.SeenAt
	}
	if at := time.Unix(0, p.heard.Load()); at.After(p.listens) && at.After(p.stats.SeenAt) {
		return at
	}
	return p.stats.SeenAt
}
