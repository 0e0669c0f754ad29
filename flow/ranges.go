package flow

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
)

// findRanges asks the source what it holds of the parts whose place it does not have, beside the loop: a source may be far, or hang, and a
// shard whose loop does not go round is given to another node.
func (l *life) findRanges(ctx context.Context) {
	if l.asking.busy {
		return
	}
	asked := taken(l.shard, &l.ranges)
	if len(asked) == 0 {
		return
	}
	l.asking.run(ctx, func(ctx context.Context) func(context.Context) error {
		for p := range asked {
			l.findRange(ctx, p)
		}
		return func(context.Context) error { return nil }
	})
}

func (l *life) findRange(ctx context.Context, p *part) {
	at, ok := p.src.Dir.Get(p.At, p.Number)
	if !ok {
		return
	}
	log, err := p.src.Control.BoundsOf(ctx, at)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		p.fetchTrouble(err)
		return
	}
	if p.lookedFor() {
		l.findAtHub(ctx, p, offsetxlate.Source(log.Start))
	} else {
		l.resolve(ctx, p, at, offsetxlate.Source(log.Start), offsetxlate.Source(log.End))
	}
	p.src.Fetcher.wakeFor(p)
}

// resolve decides where a part goes on that can't be read where it is.
func (l *life) resolve(ctx context.Context, p *part, at kafka.Partition, start, end offsetxlate.Source) {
	from, ok := p.unreadable()
	if !ok || from < start || from >= end {
		p.resolveRange(start, end)
		return
	}
	next, err := p.src.nextReadable(ctx, at, int64(from), int64(end))
	switch {
	case ctx.Err() != nil:
	case err != nil: // it is read again, and asks again
		l.log.Warn("what lies behind a batch that can't be read is not found yet", slog.Any("error", err))
	default:
		p.stepOver(from, offsetxlate.Source(next), p.atOrigin(ctx, offsetxlate.Dest(next)))
	}
}

// sortPartitions puts those of a topic side by side.
func sortPartitions(ps []kafka.Partition) {
	slices.SortFunc(ps, func(a, b kafka.Partition) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Number, b.Number))
	})
}
