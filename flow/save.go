package flow

import (
	"context"
	"maps"
	"sort"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/offsetxlate"
)

// maxRuns is how many runs a part's progress carries before it is saved sooner than the interval says: each note repeats them.
const maxRuns = 1000

// maxNoted is how many runs a note carries: with two varints each it stays below what a ledger takes in one batch.
const maxNoted = 20_000

// writeNotes makes the runs of waiting parts durable, so that their batches may go out.
func (l *life) writeNotes(ctx context.Context) error {
	waiting := taken(l.shard, &l.notes)
	if len(waiting) == 0 {
		return nil
	}
	var es []entry
	through := map[*part]noteMark{}
	for p := range waiting {
		e, n, save := p.note()
		if save {
			if err := l.saveParts(ctx, []*part{p}); err != nil {
				return err
			}
			continue
		}
		es = append(es, e)
		through[p] = n
	}
	if err := l.progress.append(ctx, es); err != nil {
		return err
	}
	for p, n := range through {
		p.noted(n)
	}
	return nil
}

// note encodes what the progress topic is to hold: the place of the last save and every run since. Where these are too many, and where the
// place is another one by now, of which no map is stored yet, all is to be saved instead.
func (p *part) note() (e entry, through noteMark, save bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, through = p.noteEntry()
	return e, through, len(p.prog.Ahead) > maxRuns || p.ahead
}

// noteEntry encodes as many runs as a note carries, and at least those of the next batch and of all that were noted before: their batches
// may be under way.
func (p *part) noteEntry() (entry, noteMark) {
	prog, m := p.prog, noteMark{p.assigned, p.gone}
	if all := prog.Ahead; len(all) > maxNoted {
		need := p.unnoted
		if len(p.queue) > 0 && need != nothingUnnoted {
			need = max(need, p.queue[0].first+int64(p.queue[0].count))
		}
		n := max(maxNoted, sort.Search(len(all), func(i int) bool { return all[i].Written >= need }))
		if n < len(all) {
			prog.Ahead, m.through = all[:n], all[n].Written
		}
	}
	return entry{p.Key(), prog.Encode()}, m
}

// noteMark says how far a note goes: all runs that begin below through, as long as the part has not gone back since.
type noteMark struct {
	through int64
	gone    int // how often the part had gone back
}

// save writes the maps and then the places of all parts in which something changed.
func (l *life) save(ctx context.Context) error {
	l.mu.Lock()
	parts := maps.Clone(l.parts)
	l.mu.Unlock()
	var changed []*part
	for _, p := range parts {
		if p.isDirty() {
			changed = append(changed, p)
		}
	}
	return l.saveParts(ctx, changed)
}

// saveParts writes maps first: a successor completes a map from the place in the progress on, and finds nothing before it.
func (l *life) saveParts(ctx context.Context, ps []*part) error {
	var pages, places []entry
	through := make([]noteMark, len(ps))
	for i, p := range ps {
		var place entry
		var mine []entry
		mine, place, through[i] = p.snapshot()
		pages, places = append(pages, mine...), append(places, place)
	}
	if err := l.offsets.append(ctx, pages); err != nil {
		return err
	}
	if err := l.progress.append(ctx, places); err != nil {
		return err
	}
	for i, p := range ps {
		p.noted(through[i])
	}
	return nil
}

func (p *part) isDirty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dirty
}

// snapshot takes the pages of the map that changed, and moves the place to what is acknowledged.
func (p *part) snapshot() (pages []entry, place entry, through noteMark) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dirty = false
	p.xlate.Thin(0, p.mapBytes)
	var changed []offsetxlate.Page
	changed, p.mark = p.xlate.EncodeSince(p.mark)
	for _, key := range p.stale {
		pages = append(pages, entry{key, nil})
	}
	p.stale = nil
	for _, c := range changed {
		pages = append(pages, entry{checkpoint.PageKey(p.mapKey(), c.Start), c.Data})
	}
	p.prog.Advance(p.written, p.dest)
	p.ahead = false
	p.prog.Read = p.readOn()
	place, through = p.noteEntry()
	return pages, place, through
}
