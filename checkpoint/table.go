package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
)

const (
	leaderPoll = 20 * time.Millisecond
	tableFetch = 4 << 20
)

// ErrNoTable says that the topic of a table does not exist.
var ErrNoTable = errors.New("the topic does not exist")

// WentBackError says that a table's log ends before the place up to which it was read: records that were acknowledged are gone.
type WentBackError struct {
	Topic     string
	Read, End int64 // End is -1 where the topic is another one
}

func (e *WentBackError) Error() string {
	if e.End < 0 {
		return fmt.Sprintf("topic %s was deleted and made again since it was read up to offset %d", e.Topic, e.Read)
	}
	return fmt.Sprintf("topic %s ends at offset %d, but was read up to %d before: acknowledged records are gone", e.Topic, e.End, e.Read)
}

// Table follows one partition of a compacted topic. It is not safe for concurrent use.
type Table struct {
	Cluster   *kafka.Cluster
	Topic     string
	Partition int32
	Committed bool // leave out aborted transactions
	// Apply takes one record; a nil Value is a deletion. An error of its stops the reading at that record.
	Apply func(*kgo.Record) error

	next  int64
	known bool  // epoch is that of what is before next
	epoch int32 // leader epoch
	topic [16]byte
}

// Next is the offset up to which the table was read.
func (t *Table) Next() int64 { return t.next }

// Refresh reads everything that was acknowledged before the call.
func (t *Table) Refresh(ctx context.Context) error {
	at, err := t.Cluster.Locate(ctx, t.Topic)
	if err != nil {
		return fmt.Errorf("reading %s: %w", t.Topic, err)
	}
	ps := at[t.Topic]
	if int(t.Partition) >= len(ps) {
		return fmt.Errorf("reading %s on cluster %s: %w", t.Topic, t.Cluster.Config.Alias, ErrNoTable)
	}
	p := ps[t.Partition]
	if err := t.is(p); err != nil {
		return err
	}
	end, err := t.bound(ctx, p, kafka.End)
	if err == nil {
		err = t.readTo(ctx, p, end)
	}
	if err != nil {
		return fmt.Errorf("reading %s on cluster %s: %w", p, t.Cluster.Config.Alias, err)
	}
	return nil
}

// is says, if so, that another topic is there now than the one that was read.
func (t *Table) is(p kafka.Partition) error {
	if t.topic != ([16]byte{}) && p.TopicID != t.topic {
		return &WentBackError{Topic: t.Topic, Read: t.next, End: -1}
	}
	t.topic = p.TopicID
	return nil
}

// readTo reads up to the end that the leader gave.
func (t *Table) readTo(ctx context.Context, p kafka.Partition, end kafka.Offset) error {
	if end.Err != nil {
		return end.Err
	}
	if end.At < t.next {
		return &WentBackError{Topic: t.Topic, Read: t.next, End: end.At}
	}
	start, err := t.bound(ctx, p, kafka.Start)
	if err = errors.Join(err, start.Err); err != nil {
		return err
	}
	if t.next < start.At {
		t.next, t.known = start.At, false
	}
	for t.next < end.At {
		if err := t.step(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) bound(ctx context.Context, p kafka.Partition, which int64) (kafka.Offset, error) {
	os, err := t.Cluster.Offsets(ctx, []kafka.Partition{p}, which)
	if err != nil {
		return kafka.Offset{}, err
	}
	return os[0], nil
}

// step reads some more. The fetch says of which leader epoch is what was read before: so a log that lost some of that and has grown again
// since is not taken for the same.
func (t *Table) step(ctx context.Context, p kafka.Partition) error {
	before := int32(-1)
	if t.known {
		before = t.epoch
	}
	got, err := t.Cluster.Fetch(ctx, kafka.FetchRequest{
		Broker: p.Leader, MaxWait: 100 * time.Millisecond, MaxBytes: tableFetch,
		Wants:     []kafka.Want{{Partition: p, Offset: t.next, MaxBytes: tableFetch, LastEpoch: before}},
		Committed: t.Committed,
	})
	if err != nil {
		return err
	}
	if got[0].Err != nil {
		return got[0].Err
	}
	if end, parted := got[0].Diverged(); parted {
		return &WentBackError{Topic: t.Topic, Read: t.next, End: end}
	}
	opts := kgo.ProcessFetchPartitionOpts{Offset: t.next, Topic: p.Topic, Partition: p.Number}
	if t.Committed {
		opts.IsolationLevel = kgo.ReadCommitted()
	}
	fp, next := kgo.ProcessFetchPartition(opts, got[0].FetchResponseTopicPartition, kgo.DefaultDecompressor(), nil)
	for _, r := range fp.Records {
		if err := t.Apply(r); err != nil {
			return fmt.Errorf("record at offset %d: %w", r.Offset, err)
		}
		t.next = r.Offset + 1
	}
	t.next = max(t.next, next)
	t.noteEpoch(got[0].RecordBatches)
	return fp.Err
}

// noteEpoch takes the leader epoch of the last batch that was read.
func (t *Table) noteEpoch(data []byte) {
	for len(data) > 0 {
		b, rest, err := batch.Next(data)
		if err != nil || b.NextOffset() > t.next {
			return
		}
		if data = rest; b.Magic() >= 2 {
			t.known, t.epoch = true, b.PartitionLeaderEpoch()
		}
	}
}

// Append writes records to topics of meshd's, acknowledged by all in-sync replicas. The cluster's client must have been
// dialled with TableWriter.
func Append(ctx context.Context, c *kafka.Cluster, rs ...*kgo.Record) error {
	if err := c.Client.ProduceSync(ctx, rs...).FirstErr(); err != nil {
		if errors.Is(err, kerr.UnknownTopicID) { // it was made anew, which the client would never take up by itself
			c.Client.PurgeTopicsFromProducing(rs[0].Topic)
		}
		return fmt.Errorf("writing to %s on cluster %s: %w", rs[0].Topic, c.Config.Alias, err)
	}
	return nil
}

// TableWriter are the client options that Append needs: the partition is the record's own, nothing waits for company, and a record
// whose outcome nobody tells is given up, for a cluster that is lost must not hold up who stops. Written twice it says the same.
func TableWriter() []kgo.Opt {
	return []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.RecordDeliveryTimeout(10 * time.Second),
		kgo.AllowIdempotentProduceCancellation(),
	}
}
