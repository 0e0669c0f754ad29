package integration

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// Whatever a topic can hold arrives as it left, with one header more: every codec, producers with and without ids and in transactions, null
// and empty keys, values and headers, old records. What was aborted does not arrive.
func TestIdentityEveryKindOfRecord(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu", "ap")
	c := newCommon(t, 4, sites...)
	m := newMesh(t, identity("us, eu, ap", c.topic), sites...)
	c.everyKind(t, m)
}

// The same for two clusters whose batches are copied as they are.
func TestIdentityEveryKindOfBatch(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	c := newCommon(t, 4, sites...)
	c.unstamped = true
	m := newMesh(t, identity("us, eu", c.topic)+"\n    provenance: batch", sites...)
	c.everyKind(t, m)
}

// everyKind writes all at every site, half of it before the nodes run.
func (c common) everyKind(t *testing.T, m *mesh) {
	t.Helper()
	produced := map[string]int{}
	for round := range uint64(2) {
		for _, s := range c.sites {
			produced[s.alias] += c.produceKinds(t, s, 100*round)
		}
		if round == 0 {
			m.startAll(t)
		}
	}
	c.verify(t, produced)
	s := c.sites[0]
	if all, committed := len(s.ReadAll(t, c.topic, logread.Uncommitted)), len(s.ReadAll(t, c.topic, logread.Committed)); all <= committed {
		t.Errorf("nothing was aborted: %d records, %d committed", all, committed)
	}
}

func (c common) produceKinds(t *testing.T, s *site, seed uint64) (n int) {
	t.Helper()
	codecs := []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	}
	for i, codec := range codecs {
		w := c.workload(s, kafkatest.Workload{Seed: seed + uint64(3*i), Records: 300, Partitions: 4, Codec: codec, Start: time.Now()})
		if i%2 == 0 {
			w.Start = time.Now().Add(-48 * time.Hour)
		}
		n += len(s.Produce(t, c.topic, w))
		w.Seed += 100
		n += produceWithoutID(t, s, c.topic, w)
		w.Seed += 100
		w.Transactions = true
		n += len(s.Produce(t, c.topic, w))
	}
	return n
}

// produceWithoutID writes a workload with a producer that has no id.
func produceWithoutID(t *testing.T, s *site, topic string, w kafkatest.Workload) int {
	t.Helper()
	client := s.Client(t, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(w.Codec),
		kgo.DisableIdempotentWrite(), kgo.RequestRetries(0))
	var records []*kgo.Record
	for i := range w.Records {
		records = append(records, w.Record(i))
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return len(records)
}

// A record that its own cluster only just takes is taken elsewhere too, where it is longer by a header.
func TestIdentityRecordAtTheLimit(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	c := common{topic: kafkatest.UniqueTopic(t, "limit"), sites: sites}
	const limit = 1_048_588 // Kafka's default of message.max.bytes
	sites[0].CreateTopic(t, c.topic, 1, "max.message.bytes", "1048588")
	m := newMesh(t, identity("us, eu", c.topic), sites...)
	m.startAll(t)
	value := append([]byte("us|"), incompressible(limit-150)...)
	produceOne(t, sites[0], &kgo.Record{Topic: c.topic, Value: value})
	c.verify(t, map[string]int{"us": 1})
}
