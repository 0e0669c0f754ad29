package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/kafka/batch"
)

const (
	batchesWait  = 100 * time.Millisecond // of a broker that has nothing
	batchesBytes = 1 << 20                // the first batch comes whole, whatever its size
	batchesTries = 30                     // a new leader does not give all that there is before its followers have it
)

// ErrNothing says that a broker has nothing at an offset before the end of a log.
var ErrNothing = errors.New("nothing comes")

// Batches reads the batches of a log that hold offsets from one up to another, as they lie there, until see says that it is enough. A batch may
// begin before from and end behind to. A message set of the formats before v2 tells its last offset alone: one behind to may come, too.
//
// Errors: those of see, as they are; a *batch.CorruptError where the log does not parse, and batch.ErrPartial where a batch never comes whole;
// kerr.OffsetOutOfRange where the log begins behind from, or does so before that is read; ErrNothing. All but the first are wrapped.
func (c *Cluster) Batches(ctx context.Context, p Partition, from, to int64, see func(batch.Batch) (more bool, err error)) error {
	s := &stretch{at: from, to: to, see: see}
	for tries := 1; s.at < s.to; tries++ {
		before := s.at
		data, err := c.fetchAt(ctx, p, s.at)
		if err == nil {
			err = s.take(data)
		}
		switch {
		case s.done:
			return err
		case errors.Is(err, kerr.ThrottlingQuotaExceeded) && tries < batchesTries: // the client waits before it asks again
			err = nil
		case err == nil && s.at == before && tries >= batchesTries:
			err = nothingIn(data)
		case s.at > before:
			tries = 0
		}
		if err != nil {
			return fmt.Errorf("reading %s on cluster %s at offset %d: %w", p, c.Config.Alias, s.at, err)
		}
	}
	return nil
}

func (c *Cluster) fetchAt(ctx context.Context, p Partition, offset int64) ([]byte, error) {
	got, err := c.Fetch(ctx, FetchRequest{
		Broker: p.Leader, MaxWait: batchesWait, MaxBytes: batchesBytes,
		Wants: []Want{{Partition: p, Offset: offset, MaxBytes: batchesBytes, LastEpoch: -1}},
	})
	if err != nil {
		return nil, err
	}
	if got[0].Err != nil {
		return nil, got[0].Err
	}
	return got[0].RecordBatches, nil
}

// stretch is what is left to read of a log.
type stretch struct {
	at, to int64
	see    func(batch.Batch) (bool, error)
	done   bool // it was enough, or all that there is
}

// take shows what came of it.
func (s *stretch) take(data []byte) error {
	for len(data) > 0 && s.at < s.to {
		b, rest, err := batch.Next(data)
		if errors.Is(err, batch.ErrPartial) {
			return nil
		}
		if err != nil {
			return err
		}
		data = rest
		if b.NextOffset() <= s.at {
			continue
		}
		if s.done = b.Magic() >= 2 && b.BaseOffset() >= s.to; s.done { // compaction took what was before
			return nil
		}
		s.at = b.NextOffset()
		if more, err := s.see(b); err != nil || !more {
			s.done = true
			return err
		}
	}
	return nil
}

// nothingIn says what is wrong with an answer that does not lead on.
func nothingIn(data []byte) error {
	if len(data) > 0 {
		return batch.ErrPartial
	}
	return ErrNothing
}
