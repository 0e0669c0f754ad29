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

// needGaps has the gaps read that the part's source has noted. It notes one before it writes anything behind it: so what was read of them
// after a batch was fetched has all that lie before that batch.
func (s *shard) needGaps(p *part) {
	p.src.aside(func(ctx context.Context) {
		asOf := p.src.registered.fetched()
		var gaps loop.Gaps
		err := p.held.fresh(ctx, s.id.Number, func(h *checkpoint.Holdings) {
			if prog, ok := h.Progress(p.Topic, p.Number); ok {
				gaps = prog.Gaps
			}
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

// noteGap records a gap and says so.
func (p *part) noteGap(g loop.Gap) {
	p.stats.Gaps++
	n := max(0, g.To.Offset-g.From.Offset)
	p.stats.GapRecords += n
	p.stats.Lacks.count(g.Why, n)
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
		p.stop(Failed, lacking(p.Spec, next, g.To))
	}
}

func maxOf(a, b loop.Coordinate) loop.Coordinate {
	if a.Less(b) {
		return b
	}
	return a
}
