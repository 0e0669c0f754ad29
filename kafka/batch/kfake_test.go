package batch

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// broker is a Kafka in this process with a client that reads and writes raw batches of partition 0.
type broker struct {
	t     *testing.T
	cl    *kgo.Client
	addrs []string
	ids   map[string][16]byte
}

func startBroker(t *testing.T, topics ...string) *broker {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "8000000"}), kfake.SeedTopics(1, topics...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	b := &broker{t: t, addrs: fake.ListenAddrs(), ids: make(map[string][16]byte)}
	b.cl = b.client()
	meta, err := kadm.NewClient(b.cl).Metadata(t.Context(), topics...)
	if err != nil {
		t.Fatal(err)
	}
	for name, topic := range meta.Topics {
		b.ids[name] = topic.ID
	}
	return b
}

func (b *broker) client(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.addrs...))...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(cl.Close)
	return cl
}

// fetch returns the raw bytes of a topic.
func (b *broker) fetch(topic string) []byte {
	b.t.Helper()
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MaxBytes = 100, 64<<20
	ft := kmsg.NewFetchRequestTopic()
	ft.Topic, ft.TopicID = topic, b.ids[topic]
	fp := kmsg.NewFetchRequestTopicPartition()
	fp.PartitionMaxBytes = 64 << 20
	ft.Partitions = append(ft.Partitions, fp)
	req.Topics = append(req.Topics, ft)
	resp, err := b.cl.Broker(0).RetriableRequest(b.t.Context(), req)
	if err != nil {
		b.t.Fatal(err)
	}
	p := resp.(*kmsg.FetchResponse).Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
		b.t.Fatal(err)
	}
	return p.RecordBatches
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
	resp, err := b.cl.Broker(0).RetriableRequest(b.t.Context(), req)
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
	cl := b.client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
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

func kgoRecord(r row) *kgo.Record {
	k := &kgo.Record{Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Timestamp)}
	for _, h := range r.Headers {
		k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return k
}

// mixed is a topic written by kgo: all codecs, batches of one record and of many, a transaction that was aborted and one that was not.
func mixed(b *broker, topic string) (all []row) {
	b.t.Helper()
	next := int64(0)
	for _, codec := range codecs {
		plain := b.client(kgo.DefaultProduceTopic(topic), kgo.ProducerBatchMaxBytes(8<<20), kgo.ProducerBatchCompression(kgoCodecs[codec]), kgo.ProducerLinger(0))
		txn := b.client(kgo.DefaultProduceTopic(topic), kgo.ProducerBatchMaxBytes(8<<20), kgo.ProducerBatchCompression(kgoCodecs[codec]), kgo.TransactionalID(codec.String()))
		for i := range 3 {
			rows := sample(next)[:6-i] // with the megabyte, and without
			send(b, plain, rows)
			all, next = append(all, rows...), next+int64(len(rows))
		}
		for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
			rows := sample(next)[:4]
			if err := txn.BeginTransaction(); err != nil {
				b.t.Fatal(err)
			}
			send(b, txn, rows)
			if err := txn.EndTransaction(b.t.Context(), end); err != nil {
				b.t.Fatal(err)
			}
			all, next = append(all, rows...), next+int64(len(rows))+1 // the marker takes an offset
		}
	}
	return all
}

func send(b *broker, cl *kgo.Client, rows []row) {
	b.t.Helper()
	records := make([]*kgo.Record, len(rows))
	for i, r := range rows {
		records[i] = kgoRecord(r)
	}
	if err := cl.ProduceSync(b.t.Context(), records...).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
}

// dataBatches are the batches of a fetch but its markers. Which transactions were aborted is not this package's matter.
func dataBatches(t *testing.T, data []byte) (batches []Batch) {
	t.Helper()
	for len(data) > 0 {
		b, rest, err := Next(data)
		if err != nil {
			t.Fatal(err)
		}
		if CopyReason(b) != SkipControl {
			batches = append(batches, b)
		}
		data = rest
	}
	return batches
}

// What kgo has produced is read from the raw fetch, copied, rewritten and merged, each into a topic of its own by raw produce
// requests with own sequences, and is there what kgo's consumer reads.
func TestThroughKafka(t *testing.T) {
	b := startBroker(t, "source", "copy", "rewrite", "merge")
	want := mixed(b, "source")
	raw := b.fetch("source")
	batches := dataBatches(t, raw)
	var got []row
	for _, src := range batches {
		got = append(got, mustRead(t, src)...)
	}
	wantRows(t, got, want)

	r, w := NewReader(testLimit), NewBuilder()
	id, epoch := b.producerID()
	sequence := int32(0)
	for _, src := range batches {
		out, err := AppendPatched(nil, src, id, epoch, sequence)
		if err != nil {
			t.Fatal(err)
		}
		b.produce("copy", out)
		sequence = AddSequence(sequence, src.Count())
	}
	for sequence, rest := int32(0), batches; len(rest) > 0; {
		w.Reset(nil, rest[0].Codec(), testLimit)
		n, err := w.Merge(r, rest)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		out, err := w.Finish(id, epoch, sequence)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Check(out); err != nil {
			t.Fatal(err)
		}
		b.produce("merge", out)
		sequence, rest = AddSequence(sequence, out.Count()), rest[n:]
	}
	sequence = 0
	for _, src := range batches {
		for _, out := range mustRewrite(t, r, w, src, id, epoch, sequence) {
			b.produce("rewrite", out)
			sequence = AddSequence(sequence, out.Count())
		}
	}
	for _, topic := range []string{"copy", "rewrite", "merge"} {
		wantRows(t, b.consume(topic, len(want)), renumber(want))
	}
	if copied := dataBatches(t, b.fetch("copy")); !bytes.Equal(copied[0][countAt:], batches[0][countAt:]) {
		t.Fatal("a copied batch is not the same bytes")
	}
	if merged := dataBatches(t, b.fetch("merge")); len(merged) >= len(batches)/2 {
		t.Fatalf("%d batches were merged into %d", len(batches), len(merged))
	}
}

// mustRewrite cuts a batch into pieces of three records at most.
func mustRewrite(t *testing.T, r *Reader, w *Builder, src Batch, id int64, epoch int16, sequence int32) (out []Batch) {
	t.Helper()
	if err := r.Reset(src); err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		w.Reset(nil, src.Codec(), testLimit)
		for more = r.Next(); more && w.Append(r.Record()) && w.Len() < 3; more = r.Next() {
		}
		built, err := w.Finish(id, epoch, sequence)
		if err != nil || r.Err() != nil {
			t.Fatal(err, r.Err())
		}
		if built != nil {
			out, sequence = append(out, built), AddSequence(sequence, built.Count())
		}
	}
	return out
}
