package kafkatest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Workload describes records to produce. The same workload is the same records, timestamps included where Start is set.
type Workload struct {
	Seed       uint64
	Records    int       // that are committed
	Partitions int32     // they go to partitions 0..Partitions-1
	Size       int       // bytes of a value; 0: values of every shape, small
	Start      time.Time // timestamp of the first; zero: now. Old ones fall to retention.
	Codec      kgo.CompressionCodec
	At         string // alias of the cluster that each record names as its home, for HomeOf; "": they name none
	// Transactions has the records produced in transactions of about 50, of which every third is aborted; what those held comes
	// on top of Records.
	Transactions bool
}

// Record returns record i of the workload. Its shape goes by i: null and empty key and value, no headers and many, with keys that
// come twice, null and empty header values, timestamps that go back.
func (w Workload) Record(i int) *kgo.Record {
	random := rand.New(rand.NewPCG(w.Seed, uint64(i)))
	jitter := time.Duration(random.IntN(2000)-1000) * time.Millisecond
	r := &kgo.Record{
		Partition: int32(random.IntN(int(max(w.Partitions, 1)))),
		Key:       w.key(i),
		Value:     w.value(random, i),
		Timestamp: w.Start.Truncate(time.Millisecond).Add(time.Duration(i)*time.Millisecond - time.Second + jitter),
	}
	if w.Size == 0 {
		shape(r, i)
	}
	if w.At != "" {
		w.sign(r, i)
	}
	return r
}

func (w Workload) key(i int) []byte { return fmt.Appendf(nil, "key-%d-%d", w.Seed, i%1000) }

// value has half its bytes random, so that it compresses somewhat, and begins with what it is.
func (w Workload) value(random *rand.Rand, i int) []byte {
	size := w.Size
	if size == 0 {
		size = 40 + random.IntN(200)
	}
	value := fmt.Appendf(make([]byte, 0, size), "value-%d-%d ", w.Seed, i)
	for len(value) < size/2 {
		value = binary.LittleEndian.AppendUint64(value, random.Uint64())
	}
	return append(value, bytes.Repeat([]byte{'.'}, max(0, size-len(value)))...)[:size]
}

// shape makes every kind of record that Kafka can hold come up in each 8. The periods share no factor, so all combinations come.
func shape(r *kgo.Record, i int) {
	switch i % 7 {
	case 0:
		r.Key = nil
	case 1:
		r.Key = []byte{}
	}
	switch i % 5 {
	case 0:
		r.Value = nil
	case 1:
		r.Value = []byte{}
	}
	switch i % 3 {
	case 1:
		r.Headers = []kgo.RecordHeader{{Key: "trace", Value: fmt.Appendf(nil, "%d", i)}}
	case 2:
		for n := range 12 {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: fmt.Sprintf("h%d", n%4), Value: fmt.Appendf(nil, "%d/%d", i, n)})
		}
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "h0", Value: nil}, kgo.RecordHeader{Key: "", Value: []byte{}})
	}
}

// Produce writes a workload, idempotently or in transactions, and returns the committed records in the order of their production
// with their offsets. The topic must exist.
func (c *Cluster) Produce(t testing.TB, topic string, w Workload) []*kgo.Record {
	t.Helper()
	if w.Start.IsZero() {
		w.Start = time.Now()
	}
	options := []kgo.Opt{
		kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(w.Codec),
	}
	if w.Transactions {
		return w.transactions(t, c.Client(t, append(options, kgo.TransactionalID(UniqueTopic(t, "tx")))...))
	}
	client := c.Client(t, options...)
	records := w.records(0, w.Records)
	flush(t, client, records)
	return records
}

func (w Workload) records(from, to int) []*kgo.Record {
	records := make([]*kgo.Record, 0, to-from)
	for i := from; i < to; i++ {
		records = append(records, w.Record(i))
	}
	return records
}

// flush produces all records and waits for them: the calls go out in order, so each partition has them in order.
func flush(t testing.TB, client *kgo.Client, records []*kgo.Record) {
	t.Helper()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatalf("producing: %v", err)
	}
}

func (w Workload) transactions(t testing.TB, client *kgo.Client) []*kgo.Record {
	t.Helper()
	aborted := w
	aborted.Seed++
	var committed []*kgo.Record
	for n := 0; len(committed) < w.Records; n++ {
		from, to := len(committed), min(len(committed)+50, w.Records)
		if n%3 == 2 {
			transact(t, client, aborted.records(from, to), kgo.TryAbort)
			continue
		}
		records := w.records(from, to)
		transact(t, client, records, kgo.TryCommit)
		committed = append(committed, records...)
	}
	return committed
}

func transact(t testing.TB, client *kgo.Client, records []*kgo.Record, end kgo.TransactionEndTry) {
	t.Helper()
	if err := client.BeginTransaction(); err != nil {
		t.Fatalf("beginning a transaction: %v", err)
	}
	flush(t, client, records)
	if err := client.EndTransaction(context.WithoutCancel(t.Context()), end); err != nil {
		t.Fatalf("ending a transaction: %v", err)
	}
}
