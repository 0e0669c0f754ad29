package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// needGaps has the gaps read that the part's source has noted. It notes one before it writes anything behind it: so what was read of them
// after a batch was fetched has all that lie before that batch.
func (s *shard) needGaps(p *part) {
	p.src.aside(func(ctx context.Context) {
		asOf := p.src.registered.fetched()
		var gaps loop.Gaps
		err := p.held.fresh(ctx, s.id.Number, func(h *checkpoint.Holdings) error {
			if prog, ok := h.Progress(p.Topic, p.Number); ok {
				gaps = prog.Gaps
			}
			return nil
		})
		p.gapsRead(gaps, asOf, err)
		p.goOn()
	})
}

func (p *part) gapsRead(gaps loop.Gaps, asOf loop.Tick, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.stop(Backoff, kafka.Explain(fmt.Errorf("reading what cluster %s lacks: %w", p.Source, err), kafka.SourceUnreachable))
		return
	}
	p.sieve.behind(gaps, asOf)
}

// noteGap records a gap and says so. What lies below an import's cut is not counted, here as little as where its origin itself is read: it
// was left out on purpose, and no policy stops at it.
func (p *part) noteGap(g loop.Gap) {
	if g.Why == loop.GapImport {
		p.owner.steppedOver(p.Spec, g.From.Offset, g.To.Offset, g.Why.String(), noPolicy)
	} else {
		p.lose(g.From.Offset, g.To.Offset, p.stats.Lacks.of(g.Why), g.Why.String())
	}
	p.prog.Gaps = p.prog.Gaps.Add(g)
	p.dirty = true
}

// leaveOut notes a gap, and passes it.
func (p *part) leaveOut(g loop.Gap) {
	p.noteGap(g)
	if g.To.Incarnation > p.prog.Incarnation {
		p.turnAt(g.To)
		return
	}
	p.passTo(g.To)
}

// passTo moves the frontier without a record.
func (p *part) passTo(to loop.Coordinate) {
	p.addRun(p.assigned, srcRun{source: offsetxlate.Source(to.Offset), epoch: to.Epoch})
	p.sieve.goBack(to)
	p.dirty = true
}

// mayLeaveOut says up to where a gap may be passed that a source has. What comes before the first record of all is left out like what the
// origin itself has deleted; else the policy decides, once no other source could fill it for a while.
func (p *part) mayLeaveOut(next, to loop.Coordinate) (loop.Coordinate, bool) {
	switch {
	case !p.untouched(next) && p.OnGap != "continue":
		return to, false
	case !p.Several:
		return to, true
	case p.unfilled.To.Less(to):
		to = p.unfilled.To
	}
	return to, p.alone(next)
}

// alone says whether no other source could give for a while what comes next.
func (p *part) alone(next loop.Coordinate) bool {
	return !p.Several || !next.Less(p.unfilled.From) && next.Less(p.unfilled.To)
}

// catchUp passes what the part's source, which is not the origin, has passed without a record, once all of its log was read of which that
// was said, and is acknowledged: else this cluster would seem to lack something as long as nothing new comes. here is where the part stood then.
func (p *part) catchUp(source topology.Alias, said offered, here loop.Coordinate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	to := said.to(here, -1).Until
	now := p.frontier(p.assigned)
	switch {
	case !p.hub() || p.Source != source || p.state != Streaming || len(p.queue)+len(p.busy) > 0:
	case p.at < said.end.next || p.lastEpoch != said.end.epoch || now != here || to.Incarnation != now.Incarnation || !now.Less(to):
	default:
		p.passTo(to)
	}
}

// nobodyHas is told what no source could fill for a while.
func (p *part) nobodyHas(g loop.Gap) {
	p.mu.Lock()
	news := p.unfilled != g
	if p.unfilled = g; news {
		p.retryAt = time.Time{}
	}
	p.mu.Unlock()
	if news {
		p.owner.wakeFetch(p)
	}
}

// atGap is for a source that lacks what comes next here, from a coordinate on: up to there it has left out nothing. Another source may have
// it; if none has, the policy decides.
func (p *part) atGap(from loop.Coordinate) {
	next := p.frontier(p.assigned)
	if next.Less(from) {
		p.passTo(from)
		next = from
	}
	g, ok := p.sieve.gapAt(next)
	if !ok { // it was passed meanwhile
		p.retryAt = time.Time{}
		return
	}
	if g.Why == loop.GapImport { // nobody has them
		p.leaveOut(loop.Gap{From: next, To: g.To, Why: g.Why})
		return
	}
	if to, may := p.mayLeaveOut(next, g.To); may {
		p.leaveOut(loop.Gap{From: next, To: to, Why: loop.GapCopied})
		return
	}
	p.stop(Failed, lacking(p.Spec, next, g.To))
}
