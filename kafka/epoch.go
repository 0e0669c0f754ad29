package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meshd/meshd/kafka/batch"
)

const (
	epochWait  = 10 * time.Second
	epochFetch = 1 << 20
)

var errNoEpoch = errors.New("its message format is below v2, which has no leader epochs")

// EpochFrom is the leader epoch of the first batch at an offset or behind it: all before it is of that epoch or a lower one, and nothing behind
// it of a lower one. end is where the log ends.
func (c *Cluster) EpochFrom(ctx context.Context, p Partition, from int64, end Offset) (int32, error) {
	ctx, cancel := context.WithTimeout(ctx, epochWait)
	defer cancel()
	starts, err := c.Offsets(ctx, []Partition{p}, Start)
	if err == nil {
		err = starts[0].Err
	}
	if err != nil {
		return 0, fmt.Errorf("finding the start of %s: %w", p, err)
	}
	if from = max(from, starts[0].At); from >= end.At {
		return end.LeaderEpoch, nil
	}
	got, err := c.Fetch(ctx, FetchRequest{
		Broker: p.Leader, MaxWait: time.Second, MaxBytes: epochFetch, Wants: []Want{{Partition: p, Offset: from, MaxBytes: epochFetch, LastEpoch: -1}},
	})
	if err == nil {
		err = got[0].Err
	}
	var b batch.Batch
	if err == nil {
		b, _, err = batch.Next(got[0].RecordBatches)
	}
	if err == nil && b.Magic() < 2 {
		err = errNoEpoch
	}
	if err != nil {
		return 0, fmt.Errorf("reading the leader epoch of %s at offset %d: %w", p, from, err)
	}
	return b.PartitionLeaderEpoch(), nil
}
