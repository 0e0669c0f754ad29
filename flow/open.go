package flow

import (
	"cmp"
	"context"
	"fmt"
	"maps"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// closeUnwanted ends the parts that the shard has no more, or has in another form. What they leave is kept for the case that
// they come back in this epoch. One that can't be closed in peace is ended with the epoch.
func (l *life) closeUnwanted(ctx context.Context) error {
	l.mu.Lock()
	var gone []*part
	for key, p := range l.parts {
		if spec, ok := l.want[key]; !ok || spec != p.Spec {
			gone = append(gone, p)
		}
	}
	l.mu.Unlock()
	for _, p := range gone {
		p.src.Fetcher.remove(p)
		if err := l.closePart(ctx, p); err != nil {
			return fmt.Errorf("closing %s: %w", p.Key(), err)
		}
		l.forget(p)
	}
	return nil
}

func (l *life) closePart(ctx context.Context, p *part) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if err := p.settle(ctx); err != nil {
		return err
	}
	if err := l.saveParts(ctx, []*part{p}); err != nil {
		return err
	}
	l.stored.keep(p)
	p.halt()
	return nil
}

// openWanted has the partitions that the shard has newly been given fenced, and opened then. What fails is set apart with its reason, and
// tried again after a while; the others go on.
func (l *life) openWanted(ctx context.Context) {
	if l.beside.busy {
		return
	}
	l.mu.Lock()
	todo := map[kafka.Partition]*opening{}
	for key, spec := range l.want {
		if l.parts[key] == nil && l.due(key, spec) {
			l.place(todo, key, spec)
		}
	}
	l.mu.Unlock()
	if len(todo) == 0 {
		return
	}
	for _, o := range todo {
		o.prog, o.known = l.stored.progress[o.spec.Key()]
	}
	l.aside(ctx, func(ctx context.Context) func(context.Context) error {
		l.fenceAll(ctx, todo)
		return func(ctx context.Context) error { return l.openAll(ctx, todo) }
	})
}

// opening is a partition on the way to being open.
type opening struct {
	spec  Spec
	prog  checkpoint.Progress
	known bool    // there is progress
	anew  bool    // what it speaks of was another copy, and that is accepted
	lost  bool    // there was, and it is no more
	doubt bool    // there may have been
	fence *fenced // nil: it was found before that it can't be opened
	found *rebuilt
	// others is up to where all that lies behind progress' place is known to be of others; 0: nothing is known.
	others offsetxlate.Dest
	left   *loop.Coordinate // where the destination lost records: behind the last one that is left, as its header says; nil if none does

	count int64 // of records that progress' owner had written, as the leader remembered before the fence; -1: unknown
	err   error
}

// fenceAll fences what can be opened, as far as that is plain before: a fence leaves a marker in a log each time.
func (l *life) fenceAll(ctx context.Context, todo map[kafka.Partition]*opening) {
	ps, from := make([]kafka.Partition, 0, len(todo)), map[kafka.Partition]reach{}
	l.precheck(ctx, todo)
	for at, o := range todo {
		if o.err != nil {
			continue
		}
		ps = append(ps, at)
	}
	if len(ps) == 0 {
		return
	}
	sortPartitions(ps)
	if ps = l.remember(ctx, ps, todo); len(ps) == 0 {
		return
	}
	var others []kafka.Partition // that no owner by this id has opened: it shut out who was before
	for _, at := range ps {
		o := todo[at]
		if o.known {
			from[at] = reach{from: o.prog.Dest, owner: o.prog.Owner, ids: l.idsWith(o.prog), clear: o.others}
		}
		if !o.known || o.prog.Owner.ID != l.id.ID {
			others = append(others, at)
		}
	}
	old := l.fenceOld(ctx, others) // first: what they wrote then lies before the own marker
	for at, f := range l.fence.raise(ctx, ps, from) {
		o := todo[at]
		if o.fence, o.err = f, cmp.Or(old[at], f.err, l.stillThat(at)); o.err == nil && o.known && diverged(o.prog, f) {
			if o.err = l.fence.lastOwn(ctx, at, f); o.err == nil && f.last != nil && stamps(o.spec) {
				var left loop.Coordinate
				left, o.err = l.fence.behind(ctx, at, f.last)
				o.left = &left
			}
		}
		if o.err == nil && (o.lost || o.doubt) {
			o.err = l.rebuild(ctx, at, o)
		}
	}
}

// stillThat says, if so, that a fence was raised in another topic of that name than the one that was to be opened.
func (l *life) stillThat(at kafka.Partition) error {
	if now, ok := l.dst.Dir.Get(at.Topic, at.Number); ok && now.TopicID != at.TopicID {
		return fmt.Errorf("topic %s was made again while it was opened: %w", at.Topic, kerr.UnknownTopicID)
	}
	return nil
}

// idsWith are the ids by which this writer is known, and that by which it wrote progress.
func (l *life) idsWith(prog checkpoint.Progress) map[int64]bool {
	ids := maps.Clone(l.ids)
	ids[prog.Owner.ID] = true
	return ids
}

// openAll makes the parts whose fence is up, and notes in the progress topic what their sequences mean from now on. Only then
// may they fetch and send.
func (l *life) openAll(ctx context.Context, todo map[kafka.Partition]*opening) error {
	var opened []*part
	for at, o := range todo {
		if !l.wanted(o.spec) {
			continue // not any more
		}
		p, err := l.openPart(ctx, at, o)
		switch {
		case err == nil:
			opened = append(opened, p)
		case kafka.Classify(err) == kafka.Fenced:
			return err
		default:
			l.block(o.spec.Key(), o.spec, err)
		}
	}
	if len(opened) < len(todo) {
		if err := l.outdone(ctx); err != nil {
			return err
		}
	}
	return l.beginAll(ctx, opened)
}

func (l *life) wanted(spec Spec) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.want[spec.Key()] == spec
}

// outdone looks whether somebody has taken the shard since: what is found in a log may be that one's work.
func (l *life) outdone(ctx context.Context) error {
	_ = l.dst.Writers.check(ctx) // a registry that can't be read is told elsewhere; what was known before still holds
	return l.ousted()
}

func (l *life) beginAll(ctx context.Context, opened []*part) error {
	if err := l.saveParts(ctx, opened); err != nil {
		return err
	}
	for _, p := range opened {
		l.mu.Lock()
		l.parts[p.Key()] = p
		delete(l.blocked, p.Key())
		l.mu.Unlock()
		delete(l.later, p.Key())
		p.begin()
		p.src.Fetcher.add(p)
	}
	return nil
}
