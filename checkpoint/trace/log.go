package trace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
)

const (
	fetchWait   = 100 * time.Millisecond
	fetchBytes  = 1 << 20 // the first batch comes whole, whatever its size
	recordsMost = 512 << 20
)

// seen is the batch and the record at an offset.
type seen struct {
	batch   loop.Batch
	epoch   int16 // of the producer
	header  []byte
	stamped bool
}

// look reads what lies at the offset.
func (t *tracer) look(ctx context.Context) error {
	at, err := t.c.Locate(ctx, t.report.Topic)
	if err != nil {
		return err
	}
	ps := at[t.report.Topic]
	if int(t.report.Partition) >= len(ps) {
		return fmt.Errorf("%s has no %s/%d: the topic has %d partitions", t.c.Config.Alias, t.report.Topic, t.report.Partition, len(ps))
	}
	t.at = ps[t.report.Partition]
	log, err := t.c.BoundsOf(ctx, t.at)
	if err != nil {
		return err
	}
	t.report.LogStart, t.report.LogEnd = log.Start, log.End
	switch {
	case t.report.Offset < t.report.LogStart:
		t.report.State = Deleted
		return nil
	case t.report.Offset >= t.report.LogEnd:
		t.report.State = Ahead
		return nil
	}
	return t.search(ctx)
}

// search opens the batch that has the offset.
func (t *tracer) search(ctx context.Context) error {
	t.report.State = NoRecord
	err := t.c.Batches(ctx, t.at, t.report.Offset, t.report.Offset+1, func(b batch.Batch) (bool, error) { return false, t.open(ctx, b) })
	if errors.Is(err, kafka.ErrNothing) { // compaction took all that was there, up to the end
		return nil
	}
	return err
}

// open finds the record in its batch.
func (t *tracer) open(ctx context.Context, b batch.Batch) error {
	t.seen.batch = loop.Batch{Magic: b.Magic(), First: b.BaseOffset(), Last: b.LastOffset(), ProducerID: -1, LeaderEpoch: -1, Fetched: fetched}
	if b.Magic() >= 2 {
		t.seen.batch.Control, t.seen.batch.ProducerID, t.seen.batch.LeaderEpoch, t.seen.epoch = b.Control(), b.ProducerID(), b.PartitionLeaderEpoch(), b.ProducerEpoch()
		if b.Control() {
			t.report.State = Marker
			return nil
		}
	}
	r := batch.NewReader(recordsMost)
	if err := r.Reset(b); err != nil {
		return fmt.Errorf("reading the batch at offset %d of %s: %w", b.BaseOffset(), t.at, err)
	}
	for r.SkipTo(t.report.Offset); r.Next(); {
		x := r.Record()
		if x.Offset != t.report.Offset {
			break
		}
		t.report.State, t.report.At = Record, new(time.UnixMilli(x.Timestamp).UTC())
		header, stamped := x.LastHeader(loop.HeaderKey)
		t.seen.header, t.seen.stamped = append([]byte(nil), header...), stamped
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("reading the batch at offset %d of %s: %w", b.BaseOffset(), t.at, err)
	}
	if t.report.State == Record && b.Magic() >= 2 && b.Transactional() {
		return t.aborted(ctx, b)
	}
	return nil
}

// aborted says so of a record whose transaction was aborted: what a reader of committed records is told to leave out.
func (t *tracer) aborted(ctx context.Context, b batch.Batch) error {
	got, err := t.c.Fetch(ctx, kafka.FetchRequest{
		Broker: t.at.Leader, MaxWait: fetchWait, MaxBytes: fetchBytes, Committed: true,
		Wants: []kafka.Want{{Partition: t.at, Offset: b.BaseOffset(), MaxBytes: 1, LastEpoch: -1}},
	})
	if err == nil {
		err = got[0].Err
	}
	if err != nil {
		return fmt.Errorf("asking which transactions of %s were aborted: %w", t.at, err)
	}
	if hasAborted(got[0].AbortedTransactions, b) {
		t.report.State = Aborted
	}
	return nil
}

func hasAborted(all []kmsg.FetchResponseTopicPartitionAbortedTransaction, b batch.Batch) bool {
	for _, x := range all {
		if x.ProducerID == b.ProducerID() && x.FirstOffset <= b.BaseOffset() {
			return true
		}
	}
	return false
}

// written is what a cluster noted of the record's partition from an origin; nothing where nothing ever came.
func written(ctx context.Context, h *checkpoint.Holdings, shard int, topic string, number int32) (w checkpoint.Written, err error) {
	if err := h.RefreshPartitions(ctx, shard); err != nil && !checkpoint.IsNoTable(err) {
		return w, err
	}
	return h.Written(topic, number)
}
