package logread

import (
	"context"
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
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("listing start offsets of %s: %w", topic, err)
	}
	list := admin.ListEndOffsets
	if isolation == Committed {
		list = admin.ListCommittedOffsets
	}
	ends, err := list(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("listing end offsets of %s: %w", topic, err)
	}
	if err := firstError(starts.Error(), ends.Error()); err != nil {
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

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
