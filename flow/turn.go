package flow

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// Progress, and the map that goes with it, speak of one incarnation of the origin's topic at a time. So a part turns to a later one when all
// of the one before is acknowledged and saved; and nothing of that one comes any more, for the frontier lies behind it.

// laterThan says whether the topic at the origin was made again, and accepted, since progress was written.
func (s Spec) laterThan(prog checkpoint.Progress) bool {
	return !s.hub() && s.Incarnation > prog.Incarnation
}

// setIncarnation says of which incarnation the records are that come from now on.
func (p *part) setIncarnation(n int32) {
	p.prog.Incarnation, p.sieve.incarnation = n, n
	if p.sieve.judge != nil {
		p.sieve.judge.Incarnation = n
	}
	if t := p.sieve.translated; t != nil {
		t.m, t.then = nil, nil
	}
}

// mapKey is the key of the part's map.
func (p *part) mapKey() string { return checkpoint.MapKey(p.Key(), p.prog.Incarnation) }

// beginAgain has a part, which goes on where it was, begin with the new topic at the origin. It does so with its first record, whatever the link's
// start: what comes is never hidden.
func (l *life) beginAgain(ctx context.Context, p *part, before checkpoint.Progress) error {
	if p.sent > p.written { // numbers that may still arrive, and mean other records
		l.partFailed(errMeaning)
		return errMeaning
	}
	at, ok := p.src.Dir.Get(p.At, p.Number)
	if !ok {
		return fmt.Errorf("beginning with the new topic: partition %s is not at the source", p.Key())
	}
	log, err := p.src.Control.BoundsOf(ctx, at)
	if err != nil {
		return err
	}
	p.prog.SrcID = before.SrcID
	if err := l.saveParts(ctx, []*part{p}); err != nil {
		return err
	}
	l.log.Warn("the topic was made again at its origin, and accepted", slog.String("topic", p.Topic), slog.Int("partition", int(p.Number)), slog.Int("incarnation", int(p.Incarnation)),
		slog.Int64("copied", int64(p.prog.Source)), slog.Int64("seen", int64(before.SourceEnd)))
	l.turnTo(p, loop.Coordinate{Incarnation: p.Incarnation, Epoch: -1, Offset: log.Start})
	p.readFrom(srcPlace{offsetxlate.Source(log.Start), -1})
	p.prog.SrcID = p.SourceID
	return nil
}

// turning is a turn that waits for what is before it.
type turning struct {
	to loop.Coordinate
	at offsetxlate.Source // where the source is read on
}

// turnAt has the part turn when all that was read is acknowledged. It reads nothing until then.
func (p *part) turnAt(to loop.Coordinate) {
	p.awaits, p.turn = true, &turning{to, p.at}
	p.maybeTurn()
}

// maybeTurn asks for the turn once nothing is before it. A part that went back meanwhile meets it again.
func (p *part) maybeTurn() {
	switch {
	case p.turn == nil || len(p.queue) > 0 || len(p.busy) > 0:
	case p.turn.at != p.at:
		p.turn, p.awaits = nil, false
		p.owner.wakeFetch(p)
	default:
		p.owner.needTurn(p)
	}
}

// turnParts turns the parts that wait for it: the old incarnation is saved before the new one, and that before anything of it is sent.
func (l *life) turnParts(ctx context.Context) error {
	for p := range taken(l.shard, &l.newer) {
		if !l.has(p) {
			continue
		}
		if err := l.saveParts(ctx, []*part{p}); err != nil {
			return err
		}
		if !l.turnNow(p) {
			continue
		}
		if err := l.saveParts(ctx, []*part{p}); err != nil {
			return err
		}
		p.goOn()
	}
	return nil
}

func (l *life) has(p *part) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parts[p.Key()] == p
}

// turnNow turns a part that is read elsewhere than at its origin, unless it went back.
func (l *life) turnNow(p *part) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.turn
	if t == nil || t.at != p.at || len(p.queue) > 0 || len(p.busy) > 0 {
		p.maybeTurn()
		return false
	}
	if p.sent > p.written {
		p.fail(errMeaning)
		return false
	}
	l.log.Warn("the topic was made again at its origin, and accepted", slog.String("topic", p.Topic), slog.Int("partition", int(p.Number)), slog.Int("incarnation", int(t.to.Incarnation)))
	read := srcPlace{p.at, p.lastEpoch}
	l.turnTo(p, t.to)
	p.prog.SrcID = [16]byte{} // only the origin tells it
	p.readFrom(read)
	p.turn = nil
	return true
}

// turnTo sets a part, of which nothing is under way, to the frontier at which a later incarnation begins, with a map of its own. The map of the
// one before stays, for those who read from here; older ones go.
func (l *life) turnTo(p *part, next loop.Coordinate) {
	p.stale = append(p.stale, l.stored.pages.Keys(p.Key(), p.prog.Incarnation)...)
	p.setIncarnation(next.Incarnation)
	p.moveTo(srcPlace{offsetxlate.Source(next.Offset), next.Epoch}, p.written, p.dest)
	p.turns = nil
	p.xlate, p.mark = offsetxlate.New(offsetxlate.Point{Src: offsetxlate.Source(next.Offset), Dst: p.dest}), 0
	for at := range l.stored.pages[p.mapKey()] { // of a turn that did not get so far as to be saved
		p.stale = append(p.stale, checkpoint.PageKey(p.mapKey(), at))
	}
}
