package flow

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
)

// ledger is a shard's own partition of one of meshd's topics, written under the same producer id as the records, so that the
// same fence shuts out an older owner.
type ledger struct {
	outlet  *Outlet
	acks    chan Ack // of the one batch that is under way
	id      kafka.ProducerID
	written int64
	stamp   func() int64
}

type entry struct {
	key   string
	value []byte // nil deletes
}

// record is an entry as a record without headers (Kafka's record format: lengths are zigzag varints, -1 is null).
func (e entry) record(ms int64) batch.Record {
	body := binary.AppendVarint(make([]byte, 0, len(e.key)+len(e.value)+16), int64(len(e.key)))
	body = append(body, e.key...)
	if e.value == nil {
		body = binary.AppendVarint(body, -1)
	} else {
		body = append(binary.AppendVarint(body, int64(len(e.value))), e.value...)
	}
	return batch.Record{Timestamp: ms, Body: append(body, 0)}
}

// ledgerBatch keeps a batch well below the smallest limit that brokers have for one (1 MiB by default).
const ledgerBatch = 512 << 10

// append writes entries and returns when all are acknowledged.
func (l *ledger) append(ctx context.Context, es []entry) error {
	b := batch.NewBuilder()
	for len(es) > 0 {
		b.Reset(nil, batch.None, ledgerBatch)
		n := 0
		for n < len(es) && b.Append(es[n].record(l.stamp())) {
			n++
		}
		data, err := b.Finish(l.id.ID, l.id.Epoch, sequence(l.written))
		if err != nil {
			return fmt.Errorf("encoding a batch for %s: %w", l.outlet.topic, err)
		}
		if err := l.send(ctx, data); err != nil {
			return err
		}
		l.written += int64(n)
		es = es[n:]
	}
	return nil
}

func (l *ledger) send(ctx context.Context, data []byte) error {
	l.outlet.Send(&Flight{Data: data})
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case a := <-l.acks:
			if a.Err != nil {
				return fmt.Errorf("writing to %s/%d: %w", l.outlet.topic, l.outlet.number, a.Err)
			}
			return nil
		case <-look.C: // the shard waits for this: why is to be known, and a new epoch may have more luck
			if since, err := l.outlet.Trouble(); err != nil && time.Since(since) > stallAfter {
				l.outlet.Close()
				return fmt.Errorf("%s/%d has not taken a batch since %s: %w", l.outlet.topic, l.outlet.number, since.Format(time.RFC3339), err)
			}
		case <-ctx.Done():
			l.outlet.Close()
			return context.Cause(ctx)
		}
	}
}

// sequence is the sequence number of an epoch's record number n: after the largest int32 comes 0.
func sequence(n int64) int32 { return int32(n & 0x7fffffff) }
