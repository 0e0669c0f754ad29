package logread

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Isolation says which records a reader sees.
type Isolation int8

const (
	// Uncommitted is everything below the high watermark, aborted transactions among it.
	Uncommitted Isolation = 0
	// Committed is everything below the last stable offset without aborted transactions.
	Committed Isolation = 1
)

// Range is the part of a partition's log that can be read: Start is the first offset, End the one after the last.
type Range struct {
	Start, End int64
}

// Bounds returns the range of each partition of a topic as it is now. The topic must exist.
func Bounds(ctx context.Context, client *kgo.Client, topic string, isolation Isolation) (map[int32]Range, error) {
	admin := kadm.NewClient(client)
	list := admin.ListEndOffsets
	if isolation == Committed {
		list = admin.ListCommittedOffsets
	}
	var starts, ends kadm.ListedOffsets
	err := persist(ctx, func() (err error) {
		if starts, err = listed(ctx, admin.ListStartOffsets, topic); err == nil {
			ends, err = listed(ctx, list, topic)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing offsets of %s: %w", topic, err)
	}
	bounds := make(map[int32]Range)
	starts.Each(func(start kadm.ListedOffset) {
		if end, ok := ends.Lookup(topic, start.Partition); ok {
			bounds[start.Partition] = Range{Start: start.Offset, End: end.Offset}
		}
	})
	return bounds, nil
}

// listed calls one of kadm's listings; an error of any partition, or of any broker, is the whole's.
func listed(
	ctx context.Context, list func(context.Context, ...string) (kadm.ListedOffsets, error), topic string,
) (kadm.ListedOffsets, error) {
	offsets, err := list(ctx, topic)
	var brokers *kadm.ShardErrors
	if errors.As(err, &brokers) && len(brokers.Errs) > 0 {
		return nil, brokers.Errs[0].Err
	}
	if err != nil {
		return nil, err
	}
	return offsets, offsets.Error()
}
