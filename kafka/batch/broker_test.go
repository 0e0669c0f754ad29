package batch

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/internal/kafkatest"
)

// broker is a cluster of one broker, with a client that reads and writes raw batches of partition 0.
type broker struct {
	*kafkatest.Cluster
	t   *testing.T
	cl  *kgo.Client
	raw *kgo.Broker
	ids map[string][16]byte
}

func startBroker(t *testing.T) *broker {
	t.Helper()
	cluster := kafkatest.Shared(t, "batch", kafkatest.WithProperties(map[string]string{
		"message.max.bytes": "8000000", "log.cleaner.backoff.ms": "200",
	}))
	b := &broker{Cluster: cluster, t: t, cl: cluster.Client(t), ids: make(map[string][16]byte)}
	meta, err := kadm.NewClient(b.cl).Metadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.raw = b.cl.Broker(int(meta.Controller))
	return b
}

// create makes a topic with a name of its own.
func (b *broker) create(base string, configs ...string) string {
	b.t.Helper()
	topic := kafkatest.UniqueTopic(b.t, base)
	b.CreateTopic(b.t, topic, 1, configs...)
	meta, err := kadm.NewClient(b.cl).Metadata(b.t.Context(), topic)
	if err != nil {
		b.t.Fatal(err)
	}
	b.ids[topic] = meta.Topics[topic].ID
	return topic
}

// fetch returns the raw bytes of a topic up to its end: one answer holds a segment's at most.
func (b *broker) fetch(topic string) (data []byte) {
	b.t.Helper()
	for next := int64(0); ; {
		p := b.fetchFrom(topic, next)
		for rest := p.RecordBatches; len(rest) > 0; {
			batch, after, err := Next(rest)
			if errors.Is(err, ErrPartial) {
				break
			}
			if err != nil {
				b.t.Fatal(err)
			}
			data, next, rest = append(data, batch...), batch.NextOffset(), after
		}
		if next >= p.HighWatermark {
			return data
		}
	}
}

func (b *broker) fetchFrom(topic string, offset int64) kmsg.FetchResponseTopicPartition {
	b.t.Helper()
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MaxBytes = 100, 64<<20
	ft := kmsg.NewFetchRequestTopic()
	ft.Topic, ft.TopicID = topic, b.ids[topic]
	fp := kmsg.NewFetchRequestTopicPartition()
	fp.FetchOffset, fp.PartitionMaxBytes = offset, 64<<20
	ft.Partitions = append(ft.Partitions, fp)
	req.Topics = append(req.Topics, ft)
	resp, err := b.raw.RetriableRequest(b.t.Context(), req)
	if err != nil {
		b.t.Fatal(err)
	}
	p := resp.(*kmsg.FetchResponse).Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
		b.t.Fatal(err)
	}
	return p
}

// produce sends one raw batch.
func (b *broker) produce(topic string, raw Batch) {
	b.t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 10_000
	pt := kmsg.NewProduceRequestTopic()
	pt.Topic, pt.TopicID = topic, b.ids[topic]
	pp := kmsg.NewProduceRequestTopicPartition()
	pp.Records = raw
	pt.Partitions = append(pt.Partitions, pp)
	req.Topics = append(req.Topics, pt)
	resp, err := b.raw.RetriableRequest(b.t.Context(), req)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := kerr.ErrorForCode(resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode); err != nil {
		b.t.Fatalf("producing to %s: %v", topic, err)
	}
}

func (b *broker) producerID() (id int64, epoch int16) {
	b.t.Helper()
	resp, err := kmsg.NewPtrInitProducerIDRequest().RequestWith(b.t.Context(), b.cl)
	if err != nil || resp.ErrorCode != 0 {
		b.t.Fatal(err, resp)
	}
	return resp.ProducerID, resp.ProducerEpoch
}

// consume reads n records of a topic with a consumer of kgo.
func (b *broker) consume(topic string, n int) (rows []row) {
	b.t.Helper()
	cl := b.Client(b.t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	for len(rows) < n {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			b.t.Fatalf("%d of %d records: %v", len(rows), n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { rows = append(rows, kgoRow(r)) })
	}
	return rows
}
