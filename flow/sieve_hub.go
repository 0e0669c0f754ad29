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
	high offsetxlate.Source // behind all of the origin's that was met, in the order of the log that is read
	then *later             // nil: this incarnation is the last that is there
	as   noter              // who had noted the map
}

// later is the next incarnation of which the source has a map: it lies behind all that is covered by that of the one before.
type later struct {
	to   loop.Coordinate
	from offsetxlate.Dest
}

// beyond says what is to be done at a place that the map does not cover.
func (t *translated) beyond(at offsetxlate.Dest) error {
	switch {
	case t.then == nil:
		return &ruledError{loop.Ruling{Act: loop.Wait, Why: loop.Uncovered}, int64(at), false}
	case at >= t.then.from:
		return &ruledError{loop.Ruling{Act: loop.Wait, At: t.then.to}, int64(at), true}
	}
	return &ruledError{loop.Ruling{Act: loop.Stop, Why: loop.Uncovered}, int64(at), false} // nothing more will be known of what lies before it
}

// addTranslated adds what is lacking of a batch in a copy that another cluster keeps.
func (p *prepared) addTranslated(b batch.Batch, rec *recoder) error {
	t := p.sieve.translated
	if p.sieve.older(t.as, b) {
		return &ruledError{loop.Ruling{Act: loop.Wait, Why: loop.Uncovered}, b.BaseOffset(), false}
	}
	if t.m == nil || offsetxlate.Dest(b.NextOffset()) > t.m.End().Dst {
		return t.beyond(offsetxlate.Dest(b.BaseOffset()))
	}
	from, runs, high, err := t.runs(offsetxlate.Dest(max(b.BaseOffset(), int64(p.next))), offsetxlate.Dest(b.NextOffset()))
	if err != nil {
		return err
	}
	if t.high = high; len(runs) == 0 {
		return nil
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
func (t *translated) runs(from, to offsetxlate.Dest) (first offsetxlate.Dest, out []srcRun, high offsetxlate.Source, err error) {
	first, high = from, t.high
	for at := from; at < to; {
		x, n, ok := t.m.Stretch(at)
		switch {
		case !ok:
			return 0, nil, 0, &ruledError{loop.Ruling{Act: loop.Stop, Why: loop.Uncovered}, int64(at), false}
		case x < high:
			return 0, nil, 0, &tookBackError{x, high}
		}
		n = min(n, int64(to-at))
		if skip := min(n, int64(t.next-x)); len(out) == 0 && skip > 0 { // it is here already
			at, first, high = at+offsetxlate.Dest(skip), at+offsetxlate.Dest(skip), x+offsetxlate.Source(skip)
			continue
		}
		out = append(out, srcRun{x, int32(n), -1})
		at, high = at+offsetxlate.Dest(n), x+offsetxlate.Source(n)
	}
	return first, out, high, nil
}

// goesOnAt says that an offset of the origin's is what comes next in the log that is read.
func (t *translated) goesOnAt(x offsetxlate.Source) { t.next, t.high = x, x }

// needMap has the map read that the part's source keeps.
func (s *shard) needMap(p *part) {
	p.src.aside(func(ctx context.Context) {
		var m *offsetxlate.Map
		var then *later
		var as noter
		inc := p.lacks().Incarnation
		err := p.held.with(ctx, func(h *checkpoint.Holdings) (err error) {
			var there bool
			if as, there = p.held.noter(p.Spec); !there {
				return nil
			}
			if m, err = h.Maps.In(p.Topic, p.Number, inc); err == nil {
				then, err = laterAt(h, p.Spec, inc)
			}
			return err
		})
		if p.mapRead(inc, m, then, as, err) && kafka.Sleep(ctx, mapAgain) != nil {
			return
		}
		p.goOn()
	})
}

const mapAgain = 100 * time.Millisecond // until a map that covered no more is looked at again

func laterAt(h *checkpoint.Holdings, spec Spec, than int32) (*later, error) {
	n, m, err := h.Maps.Behind(spec.Topic, spec.Number, than)
	if err != nil || m == nil {
		return nil, err
	}
	return &later{loop.Coordinate{Incarnation: n, Epoch: -1, Offset: int64(m.Start().Src)}, m.Start().Dst}, nil
}

// mapRead takes the map that the source keeps of an incarnation, and what comes behind it, and says whether that is no more than before.
func (p *part) mapRead(of int32, m *offsetxlate.Map, then *later, as noter, err error) (same bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.sieve.translated
	switch {
	case err != nil:
		p.stop(Backoff, kafka.Explain(fmt.Errorf("reading the map that cluster %s keeps: %w", p.Source, err), kafka.SourceUnreachable))
		p.retryAt = time.Time{}
		return true
	case of != p.sieve.incarnation:
		return false
	}
	same = (then == nil) == (t.then == nil) && (m == nil || t.m != nil && m.End() == t.m.End() && as.ProducerID == t.as.ProducerID)
	t.m, t.then, t.as = m, then, as
	return same
}

// goOn has the part read on that waited for something at its source.
func (p *part) goOn() {
	p.mu.Lock()
	p.awaits = false
	p.mu.Unlock()
	p.owner.wakeFetch(p)
}
