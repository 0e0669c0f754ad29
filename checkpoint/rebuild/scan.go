package rebuild

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
)

const (
	scanFetch = 1 << 20
	fetchWait = 100 * time.Millisecond
	probeMost = 10_000 // batches that are looked at for one place
)

// span is where a log begins and ends.
type span struct{ start, end int64 }

func bounds(ctx context.Context, c *kafka.Cluster, p kafka.Partition) (s span, err error) {
	starts, err := c.Offsets(ctx, []kafka.Partition{p}, kafka.Start)
	if err != nil {
		return s, err
	}
	ends, err := c.Offsets(ctx, []kafka.Partition{p}, kafka.End)
	if err == nil {
		err = errors.Join(starts[0].Err, ends[0].Err)
	}
	if err != nil {
		return s, fmt.Errorf("asking where %s begins and ends: %w", p, err)
	}
	return span{starts[0].At, ends[0].At}, nil
}

// scan shows the batches of a log from an offset on, until see says that it is enough.
func scan(ctx context.Context, c *kafka.Cluster, p kafka.Partition, at span, see func(batch.Batch) (more bool, err error)) error {
	for at.start < at.end {
		data, err := fetch(ctx, c, p, at.start)
		if err != nil {
			return fmt.Errorf("reading %s on cluster %s: %w", p, c.Config.Alias, err)
		}
		before := at.start
		for len(data) > 0 {
			b, rest, err := batch.Next(data)
			if errors.Is(err, batch.ErrPartial) {
				break
			}
			if err != nil {
				return fmt.Errorf("reading %s on cluster %s: %w", p, c.Config.Alias, err)
			}
			data = rest
			if b.NextOffset() <= at.start {
				continue
			}
			at.start = b.NextOffset()
			if more, err := see(b); err != nil || !more {
				return err
			}
		}
		if at.start == before {
			return fmt.Errorf("reading %s on cluster %s: nothing comes at offset %d", p, c.Config.Alias, before)
		}
	}
	return nil
}

func fetch(ctx context.Context, c *kafka.Cluster, p kafka.Partition, offset int64) ([]byte, error) {
	got, err := c.Fetch(ctx, kafka.FetchRequest{
		Broker: p.Leader, MaxWait: fetchWait, MaxBytes: scanFetch,
		Wants: []kafka.Want{{Partition: p, Offset: offset, MaxBytes: scanFetch, LastEpoch: -1}},
	})
	if err != nil {
		return nil, err
	}
	if got[0].Err != nil {
		return nil, got[0].Err
	}
	return got[0].RecordBatches, nil
}
