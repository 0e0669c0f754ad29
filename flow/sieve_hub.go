package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// With prefix naming a record does not say where it lies at its origin. Where it is read from another cluster, the map that is kept there
// says so: it is waited for until it covers a batch, and never counted on.
type translated struct {
	m    *offsetxlate.Map   // nil: not read yet
	next offsetxlate.Source // first offset of the origin that is not under way
}

// addTranslated adds what is lacking of a batch in a copy that another cluster keeps.
func (p *prepared) addTranslated(b batch.Batch, rec *recoder) error {
	t := p.sieve.translated
	if t.m == nil || offsetxlate.Dest(b.NextOffset()) > t.m.End().Dst {
		return &ruledError{loop.Ruling{Act: loop.Wait, Why: loop.Uncovered}, b.BaseOffset()}
	}
	from, runs, err := t.runs(offsetxlate.Dest(max(b.BaseOffset(), int64(p.next))), offsetxlate.Dest(b.NextOffset()))
	if err != nil || len(runs) == 0 {
		return err
	}
	last := runs[len(runs)-1]
	whole := from == offsetxlate.Dest(b.BaseOffset()) && batch.CopyReason(b) == batch.Copy
	data := b
	if !whole {
		if data, _, err = rec.recode(b, int64(from)); err != nil {
			return fmt.Errorf("recoding the batch at offset %d: %w", b.BaseOffset(), err)
		}
		p.recoded++
	} else {
		p.copied++
	}
	p.put(b, data, !whole, runs)
	t.next = last.source + offsetxlate.Source(last.count)
	return nil
}

// runs are where the records of [from, to) lie at their origin, from the first one on that is lacking: below that are none that are.
func (t *translated) runs(from, to offsetxlate.Dest) (first offsetxlate.Dest, out []srcRun, err error) {
	first = from
	for at := from; at < to; {
		x, n, ok := t.m.Stretch(at)
		if !ok {
			return 0, nil, &ruledError{loop.Ruling{Act: loop.Stop, Why: loop.Uncovered}, int64(at)}
		}
		n = min(n, int64(to-at))
		if skip := min(n, int64(t.next-x)); len(out) == 0 && skip > 0 { // it is here already
			at, first = at+offsetxlate.Dest(skip), at+offsetxlate.Dest(skip)
			continue
		}
		out = append(out, srcRun{x, int32(n), -1})
		at += offsetxlate.Dest(n)
	}
	return first, out, nil
}

// needMap has the map read that the part's source keeps.
func (s *shard) needMap(p *part) {
	p.src.aside(func(ctx context.Context) {
		var m *offsetxlate.Map
		var problem error
		err := p.held.with(ctx, func(h *checkpoint.Holdings) { m, problem = h.Maps.Of(p.Topic, p.Number) })
		if err == nil {
			err = problem
		}
		if p.mapRead(m, err) && kafka.Sleep(ctx, mapAgain) != nil {
			return
		}
		p.goOn()
	})
}

const mapAgain = 100 * time.Millisecond // until a map that covered no more is looked at again

// mapRead takes the map that the source keeps, and says whether it covers no more than before.
func (p *part) mapRead(m *offsetxlate.Map, err error) (same bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.sieve.translated
	switch {
	case err != nil:
		p.stop(Backoff, kafka.Explain(fmt.Errorf("reading the map that cluster %s keeps: %w", p.Source, err), kafka.SourceUnreachable))
		p.retryAt = time.Time{}
		return true
	case m == nil:
		return true
	}
	same = t.m != nil && m.End() == t.m.End()
	t.m = m
	return same
}

// goOn has the part read on that waited for something at its source.
func (p *part) goOn() {
	p.mu.Lock()
	p.awaits = false
	p.mu.Unlock()
	p.owner.wakeFetch(p)
}
