package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
)

// closeStuck gives up the parts whose destination has not answered for long, with the memory that they hold, and has each opened again,
// alone. What was under way is found in the log then. If it comes later still, its sequence does not fit any more, and it is refused.
func (l *life) closeStuck(ctx context.Context) error {
	for p, why := range taken(l.shard, &l.stuck) {
		p.src.Fetcher.remove(p)
		p.outlet.Close()
		if err := l.saveParts(ctx, []*part{p}); err != nil {
			return err
		}
		l.stored.keep(p)
		l.forget(p)
		p.halt()
		l.block(p.Key(), p.Spec, why)
	}
	return nil
}

// forget takes a part that is closed out of everything that it asked for.
func (l *life) forget(p *part) {
	l.mu.Lock()
	if l.parts[p.Key()] == p {
		delete(l.parts, p.Key())
	}
	l.mu.Unlock()
	l.asks.Lock()
	defer l.asks.Unlock()
	delete(l.notes, p)
	delete(l.ranges, p)
	delete(l.unproven, p)
}

// suspect is a part whose partition has another leader than the one that acknowledged its last batch.
type suspect struct {
	*part
	at      kafka.Partition
	dest    offsetxlate.Dest
	written int64
	epoch   int32 // under which what is before dest was acknowledged, or an earlier one: a leader may go on under another before it is known
}

// moved are the parts whose leaders changed since it was last known that their logs hold what was written. It looks when the directory
// changed.
func (l *life) moved(now time.Time) (found map[kafka.Spot]suspect) {
	select {
	case <-l.places:
	default:
		if l.lookAt.IsZero() || now.Before(l.lookAt) {
			return nil
		}
	}
	l.places, l.lookAt = l.dst.Dir.Changed(), time.Time{}
	l.hurry(now)
	l.mu.Lock()
	defer l.mu.Unlock()
	found = map[kafka.Spot]suspect{}
	for _, p := range l.parts {
		if at, ok := l.dst.Dir.Get(p.Remote, p.Number); ok && at.Leader >= 0 {
			if s := p.suspect(at); s.epoch != at.LeaderEpoch {
				found[at.Spot()] = s
			}
		}
	}
	return found
}

// hurry has what could not be opened tried again: a broker may be back, or another one lead.
func (l *life) hurry(now time.Time) {
	for key, a := range l.later {
		a.at = now
		l.later[key] = a
	}
}

func (p *part) suspect(at kafka.Partition) suspect {
	p.mu.Lock()
	defer p.mu.Unlock()
	return suspect{p, at, p.dest, p.written, p.prog.DestEpoch}
}

// lookForLoss compares new leaders' logs with what the old ones had acknowledged.
func (l *life) lookForLoss(ctx context.Context, now time.Time) {
	if l.beside.busy {
		return
	}
	if found := l.moved(now); len(found) > 0 {
		l.compare(ctx, found)
	}
}

// compare asks new leaders whether their logs go as far as the old ones had acknowledged (KIP-101). A part in motion would find out by
// the next acknowledgement; one at rest never.
func (l *life) compare(ctx context.Context, found map[kafka.Spot]suspect) {
	epochs := make(map[kafka.Spot]int32, len(found))
	for at, s := range found {
		epochs[at] = s.epoch
	}
	l.aside(ctx, func(ctx context.Context) func(context.Context) error {
		ends, err := l.dst.Control.EpochEnds(ctx, epochs)
		for at, end := range ends {
			if s := found[at]; end < int64(s.dest) {
				held, herr := l.fence.holds(ctx, s)
				switch err = errors.Join(err, herr); {
				case herr != nil:
					delete(ends, at)
				case held:
					ends[at] = int64(s.dest)
				}
			}
		}
		return func(context.Context) error {
			if err != nil {
				l.log.Warn("leaders did not say whether they hold what was acknowledged", slog.Any("error", err), slog.String("hint", kafka.Hint(err)))
			}
			for at, s := range found {
				if end, ok := ends[at]; !ok || !s.judge(offsetxlate.Dest(end)) {
					l.lookAt = time.Now().Add(upkeepAgain)
				}
			}
			return nil
		}
	})
}

// holds reads whether what was acknowledged last is in the log, as at an opening. That the epoch ended before it is no proof: it is the one
// that was known, and a leader that goes on under a new one says nothing of that.
func (f *fence) holds(ctx context.Context, s suspect) (bool, error) {
	ends, err := f.cluster.Offsets(ctx, []kafka.Partition{s.at}, kafka.End)
	if err = errors.Join(err, first(ends).Err); err != nil {
		return false, fmt.Errorf("finding the end of %s: %w", s.at, err)
	}
	r := fenced{reach: reach{from: s.dest}, end: offsetxlate.Dest(ends[0].At)}
	if f.plain && s.written == 0 { // what is before is of the owner before
		return r.end >= s.dest, nil
	}
	if r.end >= s.dest {
		err = f.scan(ctx, s.at, max(0, s.dest-1), s.dest, func(x foreign) bool {
			r.see(x)
			return true
		})
	}
	return !diverged(checkpoint.Progress{Owner: s.id, Dest: s.dest, Written: s.written}, &r), err
}

// judge compares what a leader holds of an epoch with what was acknowledged in it; false: more was, meanwhile.
func (s suspect) judge(end offsetxlate.Dest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == Stopped || s.broken:
	case end < s.dest:
		s.fail(truncatedAt(end, s.dest))
	case s.prog.DestEpoch == s.epoch:
		if s.part.dest != s.dest {
			return false
		}
		s.prog.DestEpoch = s.at.LeaderEpoch
	}
	return true
}

func truncatedAt(at, dest offsetxlate.Dest) error {
	return kafka.Because(kafka.DestinationTruncated, fmt.Sprintf("the destination has nothing from offset %d to %d, which it had acknowledged", at, dest-1),
		"an unclean leader election lost records there; they are copied again. Set unclean.leader.election.enable=false at the destination")
}
