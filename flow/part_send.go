package flow

import (
	"bytes"
	"fmt"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/offsetxlate"
)

// mayPump says whether what is queued may go out. What stops reading holds back nothing that was read before.
func (p *part) mayPump() bool { return !p.broken && p.state != Draining }

// pump sends what may go out now.
func (p *part) pump() {
	for len(p.queue) > 0 && p.mayPump() {
		if !p.gather() {
			return
		}
		c := p.queue[0]
		if c.first+int64(c.count) > p.unnoted {
			p.owner.needNote(p)
			return
		}
		if !p.maySend(c) {
			return
		}
		if err := batch.Patch(c.Data, p.id.ID, p.id.Epoch, sequence(c.first)); err != nil {
			p.fail(fmt.Errorf("patching a batch of %s: %w", p.Key(), err))
			return
		}
		p.queue[0] = nil
		p.queue = p.queue[1:]
		p.busy = append(p.busy, c)
		p.queued -= len(c.Data)
		p.flying += len(c.Data)
		c.Bulk = p.behind
		p.outlet.Send(&c.Flight)
	}
}

// gather makes the head of the queue what is to go out next; false: it has to wait for an answer. Small batches wait for others to be
// merged with while one is under way, as small segments do on a TCP connection (RFC 896).
func (p *part) gather() bool {
	if len(p.busy) == 0 {
		p.mergeHead()
		return true
	}
	head := p.queue[0]
	if len(p.busy) >= p.window() || p.flying+len(head.Data) > windowBytes {
		return false
	}
	if len(head.Data) >= mergeBelow {
		return true
	}
	if p.queued < mergeUpTo {
		return false
	}
	p.mergeHead()
	return true
}

// window is how many batches may be under way.
func (p *part) window() int {
	if p.weak || time.Since(p.answered) > windowAlone {
		return 1
	}
	return windowMost
}

// noted is called when the progress topic has acknowledged all runs that begin below m.through. One that begins there may have come, or
// changed, since the note was taken; and a part that went back has other runs than those that were noted.
func (p *part) noted(m noteMark) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.gone != p.gone {
		return
	}
	p.unnoted = nothingUnnoted
	for _, r := range p.prog.Ahead {
		if r.Written >= m.through {
			p.unnoted = r.Written
			break
		}
	}
	p.pump()
}

func (p *part) onAck(a Ack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.busy) == 0 || p.state == Stopped || p.broken {
		return
	}
	c := p.busy[0]
	if a.Err != nil {
		p.refused(c, a.Err)
		return
	}
	if offsetxlate.Dest(a.Base) < p.dest {
		p.fail(truncatedAt(offsetxlate.Dest(a.Base), p.dest))
		return
	}
	if past := p.dest + offsetxlate.Dest(p.markers); !p.Identity && offsetxlate.Dest(a.Base) > past {
		p.owner.foundStrange(p, p.dest, offsetxlate.Dest(a.Base))
	}
	p.markers = 0
	p.arrived(c, a)
	p.advanceIdle()
	p.pump()
	p.tellSettled()
	p.maybeTurn()
	p.owner.acked(p, c.stamp)
	if p.full > 0 && p.queued+p.flying < p.full {
		p.full = 0
		p.owner.wakeFetch(p)
	}
}

func (p *part) arrived(c *chunk, a Ack) {
	at := offsetxlate.Dest(a.Base)
	for _, r := range c.runs {
		if err := p.xlate.Append(r.source, at, int64(r.count)); err != nil {
			p.fail(fmt.Errorf("mapping offsets of %s: %w", p.Key(), err))
			return
		}
		at += offsetxlate.Dest(r.count)
	}
	p.written, p.dest = c.first+int64(c.count), at
	p.prog.DestEpoch = max(p.prog.DestEpoch, a.Epoch)
	p.pass(c.next, c.epoch)
	p.stats.Records += int64(c.count)
	p.stats.Bytes += int64(len(c.Data))
	p.flying -= len(c.Data)
	c.lease.done()
	p.busy = append(p.busy[:0], p.busy[1:]...)
	p.dirty, p.answered = true, time.Now()
}

// shedding says whether the destination has not answered for so long that nothing more is to be held for it.
func (p *part) shedding() bool {
	since, err := p.outlet.Trouble()
	return err != nil && time.Since(since) > shedAfter
}

// stuck is called when a batch has to be repeated.
func (p *part) stuck() {
	since, err := p.outlet.Trouble()
	if err == nil || time.Since(since) <= shedAfter {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == Stopped || p.broken || len(p.busy) == 0 {
		return
	}
	if time.Since(since) > stallAfter {
		p.broken = true
		p.owner.partStuck(p, kafka.Because(kafka.DestinationUnreachable, fmt.Sprintf("%s has not taken a batch since %s: %v", p.Key(), since.Format(time.RFC3339), err), kafka.Hint(err)))
		return
	}
	p.shed()
}

// shed gives all memory back but that of what is under way, and holds that alone: it shared an answer's.
func (p *part) shed() {
	p.dropQueue()
	for _, c := range p.busy {
		if !c.Own {
			c.Own, c.Data = true, bytes.Clone(c.Data)
			c.lease.done()
			c.lease = p.budget.own(len(c.Data))
		}
	}
}

// fail ends the shard's epoch. Until it has ended the part takes no answer and sends nothing: what is under way is not what it believed.
func (p *part) fail(err error) {
	p.broken = true
	p.owner.partFailed(err)
}

// refused is for a definite no of the destination. Nothing of the batch is there, so the part goes on from what is
// acknowledged once the reason is gone; only a broken sequence needs a new epoch.
func (p *part) refused(c *chunk, err error) {
	switch kafka.Classify(err) {
	case kafka.Fenced, kafka.Sequence:
		p.fail(err)
		return
	case kafka.TooLarge:
		p.stop(Failed, kafka.Because(kafka.RecordTooLarge, fmt.Sprintf("the batch of %d bytes at source offset %d is larger than %s takes", len(c.Data), c.runs[0].source, p.Remote),
			"raise max.message.bytes of "+p.Remote+" at the destination: kafka-configs.sh --alter --topic "+p.Remote+" --add-config max.message.bytes=BYTES"))
	case kafka.Denied:
		p.stop(Failed, denied(err, "writing to", p.Remote, "Write", "Describe"))
	case kafka.Gone:
		p.stop(Failed, kafka.Because(kafka.DestinationMissing, fmt.Sprintf("topic %s is not there any more", p.Remote), "a copy that was deleted is not made again: exclude "+p.Topic+" from the link"))
	default:
		if damage := unsound(c); damage != nil {
			p.rewind()
			p.corrupt(damage)
			return
		}
		p.stop(Failed, kafka.Because(kafka.Rejected, fmt.Sprintf("source offset %d: %v", c.runs[0].source, err), kafka.Hint(err)))
	}
	p.rewind()
}

func (p *part) stop(s State, r kafka.Reason) {
	if p.state.May(s) || p.state == s {
		p.state, p.reason, p.retryAt = s, r, time.Now().Add(retryFailed)
	}
}
