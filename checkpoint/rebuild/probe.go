package rebuild

import (
	"context"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/offsetxlate"
)

const probeMost = 10_000 // batches that are looked at for one place

// prober finds the producer ids of an origin's writer in one copy. One id follows the other and none comes back, so between two places with
// the same id there is no other.
type prober struct {
	*builder
	origin  *origin
	at      kafka.Partition
	written checkpoint.Written
	shard   int
}

// place is a batch of the writer's.
type place struct {
	id       int64 // -1: none was found
	from, to int64
}

func (p *prober) run(ctx context.Context) error {
	if p.written.Map == nil {
		return nil
	}
	log, err := p.Cluster.BoundsOf(ctx, p.at)
	if err != nil {
		return err
	}
	at := span{max(log.Start, int64(p.written.Map.Start().Dst)), min(log.End, int64(p.written.Map.End().Dst))}
	first, err := p.probe(ctx, at)
	if err != nil || first.id < 0 {
		return err
	}
	return between(first, place{p.written.Progress.Owner.ID, at.end, at.end}, func(at span) (place, error) { return p.probe(ctx, at) })
}

// span is a stretch of a log.
type span struct{ start, end int64 }

// between has a place looked for wherever another id may lie between two places.
func between(a, z place, probe func(span) (place, error)) error {
	for a.id != z.id && a.to < z.from {
		mid := span{a.to + (z.from-a.to)/2, z.from}
		m, err := probe(mid)
		switch {
		case err != nil:
			return err
		case m.id < 0 && mid.start == a.to:
			return nil
		case m.id < 0:
			z.from = mid.start
		default:
			if err := between(a, place{m.id, mid.start, m.to}, probe); err != nil {
				return err
			}
			a = m
		}
	}
	return nil
}

// probe finds the first batch in a stretch that is the writer's beyond doubt.
func (p *prober) probe(ctx context.Context, at span) (out place, err error) {
	out.id = -1
	steps, unknown := 0, false
	err = p.Cluster.Batches(ctx, p.at, at.start, at.end, func(x batch.Batch) (bool, error) {
		holds, known := p.written.Map.Holds(offsetxlate.Dest(x.BaseOffset()))
		unknown = unknown || !known
		if steps++; x.Magic() < 2 || x.Control() || !holds || x.Count() == 0 {
			return steps < probeMost, nil
		}
		out = place{x.ProducerID(), x.BaseOffset(), x.NextOffset()}
		p.origin.met(x, p.shard, "copies")
		return false, p.origin.says(p.reader, x)
	})
	if out.id < 0 && unknown {
		p.origin.unproven = append(p.origin.unproven, p.at.String())
	}
	return out, err
}
