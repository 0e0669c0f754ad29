package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/kafka"
)

// leaveOut takes out the partitions whose markers would not be written: the coordinator tries these for as long as it takes, and until
// then this writer has no other transaction.
func (f *fence) leaveOut(ctx context.Context, todo []*scan, out map[kafka.Partition]*fenced) (rest []*scan) {
	if len(todo) == 0 {
		return nil
	}
	few, err := f.cluster.TooFew(ctx, partitionsOf(todo))
	if err != nil {
		for _, s := range todo {
			f.keep(s, out[s.Partition])
		}
		note(todo, out, err)
		return nil
	}
	for _, s := range todo {
		if r, ok := few[s.Spot()]; ok {
			f.keep(s, out[s.Partition])
			out[s.Partition].err = r
			continue
		}
		rest = append(rest, s)
	}
	return rest
}

// mark writes the markers: one transaction over every partition that the coordinator takes. The coordinator adds all or none,
// so what it refuses is left out and the others go again.
func (f *fence) mark(ctx context.Context, todo []*scan, out map[kafka.Partition]*fenced) []*scan {
	for len(todo) > 0 && ctx.Err() == nil {
		coordinator, err := f.cluster.Coordinator(ctx, f.txnID)
		var errs []error
		if err == nil {
			errs, err = f.cluster.AddPartitions(ctx, coordinator, f.txnID, f.id, partitionsOf(todo))
		}
		if err == nil {
			var refused bool
			if todo, refused, err = split(todo, errs, out); err == nil && refused {
				continue
			}
		}
		if err == nil {
			err = f.cluster.AbortTxn(ctx, coordinator, f.txnID, f.id)
		}
		if err == nil {
			return todo
		}
		note(todo, out, err)
		if isFinal(err) || kafka.Sleep(ctx, 20*time.Millisecond) != nil {
			return nil
		}
	}
	return nil
}

func partitionsOf(todo []*scan) []kafka.Partition {
	ps := make([]kafka.Partition, len(todo))
	for i, s := range todo {
		ps[i] = s.Partition
	}
	return ps
}

func note(todo []*scan, out map[kafka.Partition]*fenced, err error) {
	for _, s := range todo {
		out[s.Partition].err = err
	}
}

// split takes out what the coordinator refuses for good; err is one that concerns all, such as a transaction that still ends.
func split(todo []*scan, errs []error, out map[kafka.Partition]*fenced) (rest []*scan, refused bool, err error) {
	for i, s := range todo {
		e := errs[i]
		switch {
		case e == nil, errors.Is(e, kerr.OperationNotAttempted):
			out[s.Partition].err = nil
			rest = append(rest, s)
		case isFinal(e) && kafka.Classify(e) != kafka.Fenced:
			out[s.Partition].err = e
			refused = true
		default:
			return todo, false, fmt.Errorf("adding %s to the fence: %w", s.Partition, e)
		}
	}
	return rest, refused, nil
}
