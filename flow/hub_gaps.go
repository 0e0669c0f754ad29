package flow

import (
	"context"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// lookAtHubs is how often the gaps are read that other clusters noted, of parts that are read there.
const lookAtHubs = 5 * time.Second

// readGaps reads what the clusters lack from which parts are read that are not their origin, beside the loop.
func (l *life) readGaps(ctx context.Context, now time.Time) {
	if l.asking.busy || now.Sub(l.hubsRead) < lookAtHubs {
		return
	}
	l.hubsRead = now
	var hubs []*part
	l.mu.Lock()
	for _, p := range l.parts {
		if p.hub() {
			hubs = append(hubs, p)
		}
	}
	l.mu.Unlock()
	if len(hubs) == 0 {
		return
	}
	l.asking.run(ctx, func(ctx context.Context) func(context.Context) error {
		for _, p := range hubs {
			_ = p.held.with(ctx, func(h *checkpoint.Holdings) { // a cluster that does not answer is told by who reads there
				if prog, ok := h.Progress(p.Topic, p.Number); ok {
					p.sourceLacks(prog.Gaps)
				}
			})
		}
		return func(context.Context) error { return nil }
	})
}

// sourceLacks notes what the source has not got: its records are not here either, unless they came another way. What was passed since it was
// looked at last is a gap here, too. What lies ahead is waited for, and left out by policy.
func (p *part) sourceLacks(gaps loop.Gaps) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.frontier(p.assigned)
	for _, g := range gaps {
		if !g.From.Less(p.lookedAt) && !now.Less(g.To) && p.lookedAt.Less(now) {
			g.Why = loop.GapCopied
			p.noteGap(g)
		}
	}
	p.lookedAt = now
	p.sieve.behind(gaps)
	if p.state == Failed && p.stoppedAtGap {
		p.retryAt = time.Time{}
	}
}

// noteGap records a gap and says so.
func (p *part) noteGap(g loop.Gap) {
	p.stats.Gaps++
	p.stats.GapRecords += max(0, g.To.Offset-g.From.Offset)
	p.owner.steppedOver(p.Spec, g.From.Offset, g.To.Offset, g.Why.String())
	p.prog.Gaps = p.prog.Gaps.Add(g)
	p.dirty = true
}

// leaveOut notes a gap, and passes it.
func (p *part) leaveOut(g loop.Gap) {
	p.noteGap(g)
	p.addRun(p.assigned, srcRun{source: offsetxlate.Source(g.To.Offset), epoch: g.To.Epoch})
	p.sieve.goBack(g.To)
}

// atGap is for a source that lacks what comes next here. Another source may have it; if none has, the policy decides.
func (p *part) atGap() {
	next := p.frontier(p.assigned)
	g, ok := p.sieve.gapAt(next)
	switch {
	case !ok: // it was passed meanwhile
		p.retryAt = time.Time{}
	case p.OnGap == "continue":
		p.leaveOut(loop.Gap{From: maxOf(next, g.From), To: g.To, Why: loop.GapCopied})
	default:
		p.stoppedAtGap = true
		p.stop(Failed, lacking(p.Spec, next, g.To))
	}
}

func maxOf(a, b loop.Coordinate) loop.Coordinate {
	if a.Less(b) {
		return b
	}
	return a
}
