package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// nowhere is the place of a part that is not read at its origin, until it was looked for.
const nowhere = -1

// lookFor has the place looked for where a part is to be read that is not read at its origin. It is called with the lock held.
func (p *part) lookFor() {
	p.at, p.sieve.seen = nowhere, stretch{} // where its log was cut off, what lies there now was never fetched
	p.stop(Backoff, kafka.Because(kafka.SourceUnreachable, fmt.Sprintf("where %s goes on at cluster %s is being looked for", p.Key(), p.Source), ""))
	p.owner.outOfRange(p)
}

// lookedFor says whether the part's place is looked for.
func (p *part) lookedFor() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at == nowhere
}

// findAtHub finds where a part goes on at a cluster that is not its origin, by the map that is kept there: at the first record that it may
// lack. What it has already is left out when it is read. start is where the log begins there.
func (l *life) findAtHub(ctx context.Context, p *part, start offsetxlate.Source) {
	var at offsetxlate.Dest
	var first loop.Coordinate
	var as noter
	var before []offsetxlate.Dest
	next, notBefore := p.lacksSince()
	err := p.held.since(ctx, notBefore, func(h *checkpoint.Holdings) (err error) {
		var there bool
		if as, there = p.held.noter(p.Spec); !there {
			at, first = offsetxlate.Dest(start), loop.Start // nothing is known of the log that is there now: all of it is looked through
			return nil
		}
		if at, first, err = lookUp(h.Maps, p.Topic, p.Number, next, offsetxlate.Dest(start)); err == nil && at > offsetxlate.Dest(start) {
			before, err = parts(h, p.Spec, next)
		}
		return err
	})
	if err == nil && before != nil {
		at, err = l.sureAt(ctx, p, next, append(before, offsetxlate.Dest(start)))
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		p.fetchTrouble(fmt.Errorf("looking where %s goes on at cluster %s: %w", p.Key(), p.Source, err))
	default:
		p.found(offsetxlate.Source(at), next, first, as)
	}
}

func lacking(s Spec, next, first loop.Coordinate) kafka.Reason {
	text := fmt.Sprintf("cluster %s has not got offsets %d to %d of %s from %s", s.Source, next.Offset, first.Offset-1, s.Topic, s.Origin)
	if next.Incarnation < first.Incarnation {
		text = fmt.Sprintf("cluster %s has not got what %s has of %s between %s and %s (incarnation.epoch.offset)", s.Source, s.Origin, s.Topic, next, first)
	}
	return kafka.Because(kafka.RetentionGap, text,
		"wait for the origin, or another cluster that has them; or set on_gap: continue to go on behind the gap and record it")
}

// lacks is the first coordinate that is not under way.
func (p *part) lacks() loop.Coordinate {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frontier(p.assigned)
}

// lacksSince is lacks, and since when what is noted at the source must be read to find that there.
func (p *part) lacksSince() (loop.Coordinate, time.Time) {
	next := p.lacks()
	p.mu.Lock()
	defer p.mu.Unlock()
	return next, p.notBefore
}

// found has a part read on where it was found, unless what it lacks is not there any more and nobody said that it may be left out.
func (p *part) found(at offsetxlate.Source, next, first loop.Coordinate, as noter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at != nowhere || p.state != Backoff && p.state != Failed {
		return
	}
	if next.Less(first) {
		to, may := p.mayLeaveOut(next, first)
		if !may {
			p.stop(Failed, lacking(p.Spec, next, first))
			return
		}
		if to == first {
			p.at = at
		}
		p.leaveOut(loop.Gap{From: next, To: to, Why: loop.GapRetention})
		if to != first { // another source has what comes then
			p.retryAt = time.Time{}
			return
		}
	}
	p.at, p.lastEpoch, p.retryAt = at, as.epoch, time.Time{} // of the log of which the notes speak: it may have been cut since
	p.sieve.placed = &as
	p.pass(at, as.epoch)
	p.dirty = true
}

// atOrigin is from where on the origin's records lie at or behind a place in the log that is read, as the map there says; 0 where it does not.
func (p *part) atOrigin(ctx context.Context, place offsetxlate.Dest) (x offsetxlate.Source) {
	if !p.hub() {
		return 0
	}
	_ = p.held.with(ctx, func(h *checkpoint.Holdings) error { // without an answer it is a gap of which nobody knows more
		m, err := h.Maps.In(p.Topic, p.Number, p.lacks().Incarnation)
		if err == nil && m != nil {
			x = m.ToSource(place).Offset
		}
		return err
	})
	return x
}
