package flow

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
)

const (
	renewAtMost = 12 * time.Hour   // between two transactions of a writer: without any its id expires, though it writes all the time
	remarkMost  = 5 * time.Minute  // between two markers in a partition whose leader may forget this writer
	sureFor     = 2 * time.Second  // how old the proof of being the owner may be where the fence is weak
	upkeepAgain = 30 * time.Second // after a failure
)

// upkeep does what keeps a writer fenced while it goes on, one thing at a time.
func (l *life) upkeep(ctx context.Context) {
	if l.beside.busy || l.fence.plain {
		return
	}
	if now := time.Now(); now.After(l.renewAt) {
		l.renew(ctx, now)
		return
	}
	if ps := l.faint(time.Now()); len(ps) > 0 {
		l.remark(ctx, ps)
	}
}

// renewEvery is well within the time in which brokers forget a transactional id.
func (l *life) renewEvery() time.Duration { return min(renewAtMost, l.dst.Memory().Txn/4) }

// renew has the coordinator see the transactional id used: an empty transaction over the shard's progress.
func (l *life) renew(ctx context.Context, now time.Time) {
	l.renewAt = now.Add(min(upkeepAgain, l.renewEvery()))
	at, ok := l.dst.Dir.Get(l.progress.outlet.topic, l.progress.outlet.number)
	if !ok {
		return
	}
	l.aside(ctx, func(ctx context.Context) func(context.Context) error {
		f := l.fence.raise(ctx, []kafka.Partition{at}, nil)[at]
		return func(context.Context) error {
			switch {
			case f.err == nil:
				l.renewAt = now.Add(l.renewEvery())
			case kafka.Classify(f.err) == kafka.Fenced:
				return f.err
			default:
				l.log.Warn("the writer's transactional id could not be renewed", slog.Any("error", f.err), slog.String("hint", kafka.Hint(f.err)))
			}
			return nil
		}
	})
}

// faint are the parts whose leader may forget this writer: the last batch that it has of it is old. A marker is new.
func (l *life) faint(now time.Time) (ps []*part) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.parts {
		if p.needsMark(now, l.dst.Memory().Producer) {
			ps = append(ps, p)
		}
	}
	return ps
}

// remark writes the marker into parts once more.
func (l *life) remark(ctx context.Context, parts []*part) {
	var ps []kafka.Partition
	of := map[kafka.Partition]*part{}
	for _, p := range parts {
		if at, ok := l.dst.Dir.Get(p.Remote, p.Number); ok && at.Leader >= 0 {
			ps, of[at] = append(ps, at), p
			p.marking()
		} else {
			p.marked(false)
		}
	}
	if len(ps) == 0 {
		return
	}
	sortPartitions(ps)
	l.aside(ctx, func(ctx context.Context) func(context.Context) error {
		up := l.fence.raise(ctx, ps, nil)
		return func(context.Context) error {
			for at, f := range up {
				if kafka.Classify(f.err) == kafka.Fenced && f.err != nil {
					return f.err
				}
				of[at].marked(f.err == nil)
			}
			return nil
		}
	})
}

// The part's side.

// forgettable says whether a leader that has a batch with such a timestamp as the last one of a writer may forget the writer.
func (p *part) forgettable(stamp int64) bool {
	return time.Since(time.UnixMilli(stamp)) > p.memory*9/10
}

// maySend says whether a batch may go out now as far as the fence is concerned. One that is so old that its leader may forget this
// writer, and with it the fence, goes alone; and it and those behind it go only while this node is known to be the owner.
func (p *part) maySend(c *chunk) bool {
	if p.forgettable(c.stamp) {
		if len(p.busy) > 0 {
			return false
		}
		p.weaken()
		p.weakened = true
	}
	c.Guarded = p.weak
	p.youngest = max(p.youngest, c.stamp)
	return true
}

func (p *part) weaken() {
	if !p.weak {
		p.weak, p.markAt = true, time.Now()
	}
}

// mayGo says whether a guarded batch may go now; if not, it has the proof asked for. It is called with the outlet's lock held.
func (p *part) mayGo() bool {
	if p.owner.sure() {
		return true
	}
	p.owner.needProof(p)
	return false
}

// needsMark says whether the marker is to be written again: the part has fallen idle, or the last one is long ago.
func (p *part) needsMark(now time.Time, memory time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.memory = memory
	every := min(remarkMost, memory/4)
	idle := len(p.busy) == 0 && len(p.queue) == 0 && now.Sub(p.answered) > time.Second
	if idle && !p.weak && now.Sub(time.UnixMilli(p.youngest)) > memory/2 {
		p.weak, p.markAt = true, time.Time{} // at once, while it is remembered
	}
	return p.weak && (idle && now.Sub(p.markAt) > time.Second || now.Sub(p.markAt) > every)
}

func (p *part) marking() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.weakened, p.markAt = false, time.Now()
	p.markers++
}

// marked ends the weakness if nothing old was sent since the marker was asked for. One that could not be written is asked for again later.
func (p *part) marked(ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !ok:
		p.markAt = time.Now().Add(upkeepAgain)
	case !p.weakened:
		p.weak, p.youngest = false, p.markAt.UnixMilli() // the marker bears the time of its coordinator
	}
}

// The shard's side of it.

func (s *shard) sure() bool {
	s.asks.Lock()
	defer s.asks.Unlock()
	return s.proof > 0 && bootTime()-s.proof < sureFor
}

// prove reads who registered last, for the parts that wait for it.
func (l *life) prove(ctx context.Context) error {
	waiting := taken(l.shard, &l.unproven)
	if len(waiting) == 0 {
		return nil
	}
	began := bootTime()
	if err := l.dst.Writers.check(ctx); err != nil {
		return err
	}
	if err := l.ousted(); err != nil {
		return err
	}
	l.asks.Lock()
	l.proof = began
	l.asks.Unlock()
	for p := range waiting {
		p.outlet.Go()
	}
	return nil
}

// strange is a stretch of a copy that this writer did not write.
type strange struct {
	*part
	from, to offsetxlate.Dest
}

const maxStrange = 64 // stretches that wait to be looked at; more are counted when the partition is opened the next time

func (s *shard) foundStrange(p *part, from, to offsetxlate.Dest) {
	s.asks.Lock()
	defer s.asks.Unlock()
	if len(s.strange) < maxStrange {
		s.strange = append(s.strange, strange{p, from, to})
	}
}

func (l *life) takeStrange() []strange {
	l.asks.Lock()
	defer l.asks.Unlock()
	found := l.strange
	l.strange = nil
	return found
}

// lookAtStrange counts the records that somebody else wrote into copies: they stay there, and go nowhere.
func (l *life) lookAtStrange(ctx context.Context) {
	if l.beside.busy {
		return
	}
	found := l.takeStrange()
	if len(found) == 0 {
		return
	}
	l.aside(ctx, func(ctx context.Context) func(context.Context) error {
		for _, x := range found {
			at, ok := l.dst.Dir.Get(x.Remote, x.Number)
			if !ok {
				continue
			}
			n := int64(0)
			if err := l.fence.scan(ctx, at, x.from, x.to, func(b foreign) bool {
				if !b.control && !l.ids[b.writer.ID] && b.Base >= x.from {
					n += int64(b.Count)
				}
				return true
			}); err != nil {
				continue // they are counted when the partition is opened the next time
			}
			x.addForeign(n)
		}
		return func(context.Context) error { return nil }
	})
}

func (p *part) addForeign(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Foreign += n
}

// warnings are what does not stop a part, and is to be known.
func (p *part) warnings() (ws []kafka.Reason) {
	if p.weak {
		ws = append(ws, kafka.Because(kafka.FenceWeak, fmt.Sprintf("records are copied that are older than the %s for which brokers of the destination remember a producer", p.memory),
			"raise producer.id.expiration.ms at the destination until the first copy is done"))
	}
	if p.stats.Zombie > 0 {
		ws = append(ws, kafka.Because(kafka.ZombieWrites, fmt.Sprintf("an owner that had been replaced wrote %d records into %s, which may be there twice", p.stats.Zombie, p.Remote),
			"find out why its process stood still; docs/GUARANTEES.md says when Kafka does not shut such a one out"))
	}
	if p.starved() {
		ws = append(ws, kafka.Because(kafka.SourceMute, fmt.Sprintf("the source has offsets %d to %d, and has given nothing of them since %s", p.at, p.stats.SourceStable-1, p.movedAt.UTC().Format(time.RFC3339)),
			"look at the source's log at that offset with kafka-dump-log.sh: brokers may answer so where a batch's length is damaged"))
	}
	if p.stepped != "" {
		ws = append(ws, kafka.Because(kafka.BatchSkipped, p.stepped, "find out what damaged the source's log; on_gap: stop would have stopped here"))
	}
	if p.stats.Foreign > 0 {
		ws = append(ws, kafka.Because(kafka.ForeignWrites, fmt.Sprintf("something else wrote %d records into %s", p.stats.Foreign, p.Remote),
			"a copy belongs to meshd: find the application or tool that writes there, and take its right to"))
	}
	return ws
}
