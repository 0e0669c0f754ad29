package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meshd/meshd/kafka/batch"
)

const epochWait = 10 * time.Second

var errNoEpoch = errors.New("its message format is below v2, which has no leader epochs")

// EpochFrom is the leader epoch of the first batch at an offset or behind it, in a log whose bounds were asked for; that of its end where there is
// none. All before the offset is of that epoch or a lower one, and nothing behind it of a lower one.
func (c *Cluster) EpochFrom(ctx context.Context, p Partition, from int64, log Bounds) (epoch int32, err error) {
	ctx, cancel := context.WithTimeout(ctx, epochWait)
	defer cancel()
	epoch = log.Epoch
	err = c.Batches(ctx, p, max(from, log.Start), log.End, func(b batch.Batch) (bool, error) {
		if b.Magic() < 2 {
			return false, fmt.Errorf("reading the leader epoch of %s at offset %d: %w", p, from, errNoEpoch)
		}
		epoch = b.PartitionLeaderEpoch()
		return false, nil
	})
	return epoch, err
}
