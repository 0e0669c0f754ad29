package logread

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	fetchBytes = 4 << 20
	fetchWait  = 500 * time.Millisecond // the broker's, where there is nothing to read
	retryWait  = 100 * time.Millisecond // ours, after an error that passes
	patience   = 60 * time.Second       // for errors that should pass: a broker that was killed is missed after 9 s
)

// Reader reads one partition. It is not safe for concurrent use; readers of one client may run beside each other.
type Reader struct {
	client    *kgo.Client
	isolation Isolation
	topic     string
	partition int32
	next, end int64
	source    source
}

// source is where the partition is fetched from.
type source struct {
	topicID [16]byte
	leader  int32
	known   bool
}

// New returns a reader of a range of a partition.
func New(client *kgo.Client, topic string, partition int32, bounds Range, isolation Isolation) *Reader {
	return &Reader{
		client: client, isolation: isolation, topic: topic, partition: partition, next: bounds.Start, end: bounds.End,
	}
}

// Next returns the records that follow, at least one, or io.EOF. It asks again for a minute after errors that pass: a change of
// leader, a broker that restarts.
func (r *Reader) Next(ctx context.Context) ([]*kgo.Record, error) {
	for r.next < r.end {
		var records []*kgo.Record
		err := persist(ctx, func() (err error) {
			records, err = r.fetch(ctx)
			r.source.known = r.source.known && err == nil
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("reading %s-%d at offset %d: %w", r.topic, r.partition, r.next, err)
		}
		if len(records) > 0 {
			return records, nil
		}
	}
	return nil, io.EOF
}

// persist tries until it works, or fails for a reason that does not pass, or patience ends.
func persist(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil || !passes(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		wait(ctx, retryWait)
	}
}

// passes says whether an error is worth another try: Kafka's retriable ones, and a connection that broke or was not made.
func passes(err error) bool {
	_, dial := errors.AsType[*net.OpError](err) // kgo leaves it to the caller whether a refused connection is worth another try
	return dial || kerr.IsRetriable(err) || kgo.IsRetryableBrokerErr(err)
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// fetch asks for what follows, once, and moves on. Records may be none where a batch had only markers or aborted records.
func (r *Reader) fetch(ctx context.Context) ([]*kgo.Record, error) {
	if err := r.locate(ctx); err != nil {
		return nil, err
	}
	answer, err := r.client.Broker(int(r.source.leader)).Request(ctx, r.request())
	if err != nil {
		return nil, err
	}
	response := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
		return nil, err
	}
	if len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return nil, fmt.Errorf("the answer has %d topics, not this one", len(response.Topics))
	}
	return r.decode(&response.Topics[0].Partitions[0])
}

func (r *Reader) decode(partition *kmsg.FetchResponseTopicPartition) ([]*kgo.Record, error) {
	options := kgo.ProcessFetchPartitionOpts{Offset: r.next, Topic: r.topic, Partition: r.partition}
	if r.isolation == Committed {
		options.IsolationLevel = kgo.ReadCommitted()
	}
	fetched, next := kgo.ProcessFetchPartition(options, partition, kgo.DefaultDecompressor(), nil)
	if fetched.Err != nil {
		return nil, fetched.Err
	}
	r.next = next
	records := fetched.Records
	for len(records) > 0 && records[len(records)-1].Offset >= r.end { // appended since the end was asked for
		records = records[:len(records)-1]
	}
	return records, nil
}

func (r *Reader) request() *kmsg.FetchRequest {
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.Partition = r.partition
	partition.FetchOffset = r.next
	partition.CurrentLeaderEpoch = -1
	partition.PartitionMaxBytes = fetchBytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = r.topic, r.source.topicID
	topic.Partitions = append(topic.Partitions, partition)
	request := kmsg.NewPtrFetchRequest()
	request.MaxWaitMillis, request.MinBytes, request.MaxBytes = int32(fetchWait.Milliseconds()), 1, fetchBytes
	request.IsolationLevel = int8(r.isolation)
	request.Topics = append(request.Topics, topic)
	return request
}

// locate asks who leads the partition, where that is not known.
func (r *Reader) locate(ctx context.Context) error {
	if r.source.known {
		return nil
	}
	topic, err := describe(ctx, r.client, r.topic)
	if err != nil {
		return err
	}
	for _, p := range topic.Partitions {
		if p.Partition == r.partition {
			r.source = source{topicID: topic.TopicID, leader: p.Leader, known: true}
			return kerr.ErrorForCode(p.ErrorCode)
		}
	}
	return kerr.UnknownTopicOrPartition
}
