package flow

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
)

// deliver takes what a fetch brought, and says whether the source has much more. A part that went back meanwhile has no use for it: it
// would skip what lies between.
func (p *part) deliver(g kafka.Got, l *lease, rec *recoder) (behind bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == Draining || p.state == Stopped || g.Want.Offset != int64(p.at) {
		return p.behind
	}
	p.take(g, l, rec)
	switch {
	case int64(p.at) >= p.stats.SourceStable:
		p.behind = false
	case g.FetchResponseTopicPartition != nil && len(g.RecordBatches) >= fetchPartBytes/2:
		p.behind = true
	}
	return p.behind
}

func (p *part) take(g kafka.Got, l *lease, rec *recoder) {
	if g.Err != nil {
		p.fetchError(g)
		return
	}
	if at, diverged := g.Diverged(); diverged {
		p.tookBack(srcPlace{offsetxlate.Source(at), g.DivergingEpoch.Epoch}, fmt.Sprintf("the source's log was truncated to offset %d after offset %d had been read", at, p.at-1))
		return
	}
	if int64(p.at) >= p.stats.SourceStable {
		p.movedAt = time.Now() // there was nothing to be had until now
	}
	p.stats.SourceEnd, p.stats.SourceStable, p.stats.SeenAt = g.HighWatermark, g.LastStableOffset, time.Now()
	p.prog.SourceEnd, p.prog.SeenAt = offsetxlate.Source(g.HighWatermark), p.stats.SeenAt.UnixMilli()
	if p.limit != nil {
		p.limit.spend(len(g.RecordBatches), time.Now())
	}
	p.accept(g, l, rec)
}

func (p *part) accept(g kafka.Got, l *lease, rec *recoder) {
	p.sieve.goBack(p.frontier(p.assigned))
	got, err := prepare(g.FetchResponseTopicPartition, p.at, p.lastEpoch, p.sieve, rec)
	for _, c := range got.chunks {
		if c.lease = l.keep(); c.Own {
			l.done()
			c.lease = p.budget.own(len(c.Data))
		}
		p.enqueue(c)
	}
	p.turned(got.turns)
	if got.next > p.at {
		p.at, p.movedAt = got.next, time.Now()
	}
	if got.epoch >= 0 {
		p.lastEpoch = got.epoch
	}
	p.stats.Copied += got.copied
	p.stats.Recoded += got.recoded
	p.stats.Aborted += got.aborted
	if err != nil && p.holdsUp(err) {
		p.pump()
		return
	}
	p.recover()
	p.advanceIdle()
	p.pump()
}

// holdsUp says whether the part can't go on for what an answer had, and does what is to be done about it.
func (p *part) holdsUp(err error) bool {
	var ruled *ruledError
	var back *tookBackError
	switch {
	case errors.As(err, &back):
		p.tookBackAtHub(back)
		return true
	case errors.As(err, &ruled):
		return p.ruled(ruled)
	case errors.Is(err, errMisplaced):
		p.notBefore = time.Now()
		p.lookFor()
		return true
	case p.mayBeCut(err):
		return false
	}
	p.corrupt(err)
	return true
}

// advanceIdle moves the frontier over markers and aborted records behind which nothing has come yet.
func (p *part) advanceIdle() {
	if len(p.queue) > 0 || len(p.busy) > 0 || p.settledTo() >= p.at {
		return
	}
	p.pass(p.at, p.lastEpoch)
	p.dirty = true
	if p.hub() { // what another cluster has in its log says nothing of the origin's
		return
	}
	p.addRun(p.assigned, srcRun{source: p.at, epoch: p.metEpoch()})
	if p.at <= p.xlate.End().Src {
		return // the map was stored, and the place was not: it is read again
	}
	if err := p.xlate.AdvanceSource(p.at); err != nil {
		p.fail(fmt.Errorf("mapping offsets of %s: %w", p.Key(), err))
	}
}

// settledTo is up to where the source's log is settled, with nothing under way.
func (p *part) settledTo() offsetxlate.Source {
	if p.hub() {
		return p.passed.next
	}
	return p.prog.SourceOf(p.assigned)
}

func (p *part) pass(next offsetxlate.Source, epoch int32) { p.passed = srcPlace{next, epoch} }

// readOn is where a successor reads on. At the origin that is the frontier, behind what is between records; its leader epoch is that
// of the offset before it, and -1 where it is not known: with an older one the source would say that its log is another.
func (p *part) readOn() checkpoint.Place {
	at := checkpoint.Place{Cluster: p.Source, TopicID: p.readID(), At: int64(p.passed.next), Epoch: p.passed.epoch}
	if p.hub() || p.prog.Source <= p.passed.next {
		return at
	}
	at.At, at.Epoch = int64(p.prog.Source), -1
	switch {
	case len(p.busy) > 0:
		at.Epoch = p.busy[0].prior
	case len(p.queue) > 0:
		at.Epoch = p.queue[0].prior
	}
	return at
}

// recover leaves a state of trouble after a good answer, and tells a backlog from a tail.
func (p *part) recover() {
	next := Streaming
	if int64(p.at) < p.stats.SourceStable {
		next = CatchingUp
	}
	if p.state != next && p.state.May(next) {
		p.state, p.reason = next, kafka.Reason{}
	}
}

func (p *part) enqueue(c *chunk) {
	c.first = p.assigned
	if !p.meant(c) {
		c.lease.done()
		p.fail(errMeaning)
		return
	}
	p.noteStart(c.runs[0])
	n := c.first
	for _, r := range c.runs {
		if now := p.prog.RunOf(n); p.prog.SourceOf(n) != r.source || now.Epoch != r.epoch {
			p.addRun(n, r)
		}
		n += int64(r.count)
	}
	p.assigned = n
	p.queue = append(p.queue, c)
	p.queued += len(c.Data)
}

var errMeaning = errors.New("the source gives other records than those that were sent before under the same sequence numbers")

// meant says whether the records of a chunk are those that their numbers stand for, where batches with these numbers were sent before and
// may still arrive: one with the same numbers is taken for a repeated one, whatever is in it.
func (p *part) meant(c *chunk) bool {
	n := c.first
	for _, r := range c.runs {
		for i := range int64(r.count) {
			if n >= p.sent {
				return true
			}
			if p.prog.SourceOf(n) != r.source+offsetxlate.Source(i) {
				return false
			}
			n++
		}
	}
	return true
}

// addRun notes that record number n begins a run. It goes to the progress topic before that record goes out.
func (p *part) addRun(n int64, r srcRun) {
	if n < p.sent {
		p.fail(errMeaning)
		return
	}
	if l := len(p.prog.Ahead); l > 0 && p.prog.Ahead[l-1].Written == n {
		p.prog.Ahead = p.prog.Ahead[:l-1]
	}
	p.prog.Ahead = append(p.prog.Ahead, checkpoint.Run{Written: n, Source: r.source, Epoch: r.epoch})
	p.unnoted = min(p.unnoted, n)
}

// denied is for a right that is missing on a topic.
func denied(err error, doing, topic string, operations ...string) kafka.Reason {
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		err = kafka.WithHint(err, kafka.Grant("--topic "+topic, operations...))
	}
	return kafka.Explain(fmt.Errorf("%s %s: %w", doing, topic, err), kafka.PermissionDenied)
}

// fetchTrouble is for a source broker that did not answer.
func (p *part) fetchTrouble(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop(Backoff, kafka.Explain(err, kafka.SourceUnreachable))
	p.retryAt = time.Time{}
}

// fetchError is the table of what a source partition's error means.
func (p *part) fetchError(g kafka.Got) {
	err := g.Err
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange):
		p.stop(Backoff, kafka.Because(kafka.SourceUnreachable, fmt.Sprintf("offset %d is not in the source's log", p.at), ""))
		p.owner.outOfRange(p)
		return
	case kafka.Classify(err) == kafka.Gone:
		p.stop(Failed, kafka.Because(kafka.SourceDeleted, fmt.Sprintf("topic %s is not at the source any more, or was made again", p.Topic), "records that arrived stay; a topic that was made again needs a decision"))
		p.owner.staleSource(p)
		return
	case kafka.Classify(err) == kafka.Denied:
		p.stop(Failed, denied(err, "reading", p.Topic, "Read", "Describe"))
		return
	case errors.Is(err, kerr.CorruptMessage):
		p.corrupt(errors.New("the source's broker finds it corrupt"))
		return
	}
	p.stop(Backoff, kafka.Explain(err, kafka.SourceUnreachable))
	p.retryAt = time.Now().Add(100 * time.Millisecond)
	p.owner.staleSource(p)
}
