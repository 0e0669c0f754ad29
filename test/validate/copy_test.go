package validate

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }

const partitions = 3

// A mutation gets the source's records, by partition and offset, and returns what is to be produced to the destination, in order.
type mutation func([]*kgo.Record) []*kgo.Record

// mutations are what a validator must see. Each changes one thing; the counts are exact.
var mutations = map[string]struct {
	change mutation
	want   Counts
}{
	"none":                   {func(r []*kgo.Record) []*kgo.Record { return r }, Counts{}},
	"first lost":             {func(r []*kgo.Record) []*kgo.Record { return r[1:] }, Counts{Lost: 1}},
	"one lost":               {func(r []*kgo.Record) []*kgo.Record { return slices.Delete(r, 50, 51) }, Counts{Lost: 1}},
	"last lost":              {func(r []*kgo.Record) []*kgo.Record { return r[:len(r)-1] }, Counts{Lost: 1}},
	"many lost":              {func(r []*kgo.Record) []*kgo.Record { return slices.Delete(r, 20, 60) }, Counts{Lost: 40}},
	"all lost":               {func([]*kgo.Record) []*kgo.Record { return nil }, Counts{Lost: 300}},
	"one twice":              {func(r []*kgo.Record) []*kgo.Record { return slices.Insert(r, 50, r[50]) }, Counts{Duplicated: 1}},
	"one again at the end":   {func(r []*kgo.Record) []*kgo.Record { return append(r, r[50]) }, Counts{Duplicated: 1}},
	"a run copied again":     {func(r []*kgo.Record) []*kgo.Record { return slices.Insert(r, 60, r[40:60]...) }, Counts{Duplicated: 20}},
	"all twice":              {func(r []*kgo.Record) []*kgo.Record { return slices.Concat(r, r) }, Counts{Duplicated: 300}},
	"neighbours swapped":     {func(r []*kgo.Record) []*kgo.Record { return swap(r, 50, 51) }, Counts{OutOfOrder: 1}},
	"one late":               {late, Counts{OutOfOrder: 1}},
	"one that never was":     {stranger, Counts{Unexpected: 1}},
	"wrong partition":        {elsewhere, Counts{Misplaced: 1}},
	"key null made empty":    {edit(func(r *kgo.Record) bool { return r.Key == nil }, func(r *kgo.Record) { r.Key = []byte{} }), Counts{Different: 1}},
	"key empty made null":    {edit(isEmptyKey, func(r *kgo.Record) { r.Key = nil }), Counts{Different: 1}},
	"value null made empty":  {edit(func(r *kgo.Record) bool { return r.Value == nil }, func(r *kgo.Record) { r.Value = []byte{} }), Counts{Different: 1}},
	"value empty made null":  {edit(isEmptyValue, func(r *kgo.Record) { r.Value = nil }), Counts{Different: 1}},
	"one byte of a value":    {edit(isLong, func(r *kgo.Record) { r.Value = append([]byte{r.Value[0] ^ 1}, r.Value[1:]...) }), Counts{Different: 1}},
	"timestamp one later":    {edit(always, func(r *kgo.Record) { r.Timestamp = r.Timestamp.Add(time.Millisecond) }), Counts{Different: 1}},
	"header's value":         {edit(hasHeaders, func(r *kgo.Record) { r.Headers[1].Value = []byte("x") }), Counts{Different: 1}},
	"header's key":           {edit(hasHeaders, func(r *kgo.Record) { r.Headers[1].Key = "x" }), Counts{Different: 1}},
	"header gone":            {edit(hasHeaders, func(r *kgo.Record) { r.Headers = r.Headers[1:] }), Counts{Different: 1}},
	"header added":           {edit(always, func(r *kgo.Record) { r.Headers = append(r.Headers, kgo.RecordHeader{Key: "x"}) }), Counts{Different: 1}},
	"headers swapped":        {edit(hasHeaders, func(r *kgo.Record) { r.Headers[0], r.Headers[1] = r.Headers[1], r.Headers[0] }), Counts{Different: 1}},
	"header null made empty": {edit(hasHeaders, func(r *kgo.Record) { r.Headers[12].Value = []byte{} }), Counts{Different: 1}},
	"header empty made null": {edit(hasHeaders, func(r *kgo.Record) { r.Headers[13].Value = nil }), Counts{Different: 1}},
}

func always(*kgo.Record) bool         { return true }
func isEmptyKey(r *kgo.Record) bool   { return r.Key != nil && len(r.Key) == 0 }
func isEmptyValue(r *kgo.Record) bool { return r.Value != nil && len(r.Value) == 0 }
func isLong(r *kgo.Record) bool       { return len(r.Value) > 10 }
func hasHeaders(r *kgo.Record) bool   { return len(r.Headers) == 14 }

// edit changes the first record from the 20th on that fits.
func edit(fits func(*kgo.Record) bool, change func(*kgo.Record)) mutation {
	return func(records []*kgo.Record) []*kgo.Record {
		i := 20 + slices.IndexFunc(records[20:], fits)
		changed := *records[i]
		changed.Headers = slices.Clone(changed.Headers)
		change(&changed)
		records[i] = &changed
		return records
	}
}

func swap(records []*kgo.Record, i, j int) []*kgo.Record {
	records[i], records[j] = records[j], records[i]
	return records
}

func late(records []*kgo.Record) []*kgo.Record {
	r := records[30]
	return slices.Insert(slices.Delete(records, 30, 31), 70, r)
}

func stranger(records []*kgo.Record) []*kgo.Record {
	return slices.Insert(records, 33, kafkatest.Workload{Seed: 99, Size: 50, Start: time.Now()}.Record(1))
}

func elsewhere(records []*kgo.Record) []*kgo.Record {
	moved := *records[50]
	moved.Partition = (moved.Partition + 1) % partitions
	records[50] = &moved
	return records
}

func TestCopySeesEveryMutation(t *testing.T) {
	us, eu := kafkatest.Shared(t, "us"), kafkatest.Shared(t, "eu")
	source := kafkatest.UniqueTopic(t, "orders")
	us.CreateTopic(t, source, partitions)
	us.Produce(t, source, kafkatest.Workload{Records: 300, Partitions: partitions, Transactions: true})
	committed := us.ReadAll(t, source, logread.Committed)
	for name, m := range mutations {
		t.Run(name, func(t *testing.T) {
			destination := kafkatest.UniqueTopic(t, "us.orders")
			eu.CreateTopic(t, destination, partitions)
			produce(t, eu, destination, m.change(slices.Clone(committed)))
			report, err := Copy(t.Context(), us.Client(t), eu.Client(t), source, destination)
			if err != nil {
				t.Fatal(err)
			}
			if report.Counts != m.want {
				t.Errorf("want %s, got %s", m.want, report)
			}
			if (report.Err() == nil) != (m.want == Counts{}) || report.SourceRecords != 300 {
				t.Errorf("verdict: %v", report.Err())
			}
		})
	}
}

// produce writes records into the partitions that they name.
func produce(t *testing.T, c *kafkatest.Cluster, topic string, records []*kgo.Record) {
	t.Helper()
	client := c.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(topic))
	fresh := make([]*kgo.Record, 0, len(records))
	for _, r := range records {
		fresh = append(fresh, &kgo.Record{Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp})
	}
	if err := client.ProduceSync(t.Context(), fresh...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// What a transaction aborted must not arrive, also where a read_committed consumer would not see that it did.
func TestCopySeesAbortedRecords(t *testing.T) {
	us, eu := kafkatest.Shared(t, "us"), kafkatest.Shared(t, "eu")
	source, destination := kafkatest.UniqueTopic(t, "orders"), kafkatest.UniqueTopic(t, "us.orders")
	us.CreateTopic(t, source, partitions)
	eu.CreateTopic(t, destination, partitions)
	w := kafkatest.Workload{Records: 300, Partitions: partitions, Transactions: true, Start: time.Now()}
	us.Produce(t, source, w)
	eu.Produce(t, destination, w) // the same, with the same aborted records between them
	report, err := Copy(t.Context(), us.Client(t), eu.Client(t), source, destination)
	if err != nil || (report.Counts == Counts{}) || report.Counts[Unexpected] != report.DestinationRecords-300 {
		t.Errorf("got %s, %v", report, err)
	}
}

func TestCopyWithFewerPartitions(t *testing.T) {
	us, eu := kafkatest.Shared(t, "us"), kafkatest.Shared(t, "eu")
	source, destination := kafkatest.UniqueTopic(t, "orders"), kafkatest.UniqueTopic(t, "us.orders")
	us.CreateTopic(t, source, 2)
	eu.CreateTopic(t, destination, 1)
	records := us.Produce(t, source, kafkatest.Workload{Records: 100, Partitions: 2})
	for _, r := range records {
		r.Partition = 0
	}
	produce(t, eu, destination, records)
	report, err := Copy(t.Context(), us.Client(t), eu.Client(t), source, destination)
	if err != nil || report.Counts[Misplaced] != report.Partitions[1].SourceRecords {
		t.Errorf("got %s, %v", report, err)
	}
}

func TestCopyOfNoTopic(t *testing.T) {
	us := kafkatest.Shared(t, "us")
	topic := kafkatest.UniqueTopic(t, "orders")
	us.CreateTopic(t, topic, 1)
	for _, names := range [][2]string{{topic, "absent"}, {"absent", topic}} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if _, err := Copy(ctx, us.Client(t), us.Client(t), names[0], names[1]); err == nil {
			t.Errorf("%v compared", names)
		}
		cancel()
	}
}

func TestUntilWaitsForWhatIsLate(t *testing.T) {
	us, eu := kafkatest.Shared(t, "us"), kafkatest.Shared(t, "eu")
	source, destination := kafkatest.UniqueTopic(t, "orders"), kafkatest.UniqueTopic(t, "us.orders")
	us.CreateTopic(t, source, partitions)
	eu.CreateTopic(t, destination, partitions)
	records := us.Produce(t, source, kafkatest.Workload{Records: 100, Partitions: partitions})

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	report, err := Until(ctx, us.Client(t), eu.Client(t), source, destination)
	cancel()
	if err != nil || report.Counts != (Counts{Lost: 100}) {
		t.Errorf("nothing arrived, and: %s, %v", report, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		produce(t, eu, destination, records)
	}()
	report, err = Until(t.Context(), us.Client(t), eu.Client(t), source, destination)
	<-done
	if err != nil || !report.OK() {
		t.Errorf("got %s, %v", report, err)
	}
	produce(t, eu, destination, records[:1])
	if report, err = Until(t.Context(), us.Client(t), eu.Client(t), source, destination); err != nil || report.Counts != (Counts{Duplicated: 1}) {
		t.Errorf("a duplicate was waited for, or forgiven: %s, %v", report, err)
	}
}

// BenchmarkCopy compares 200 MB; the two sides are read at once, so it moves twice that.
func BenchmarkCopy(b *testing.B) {
	const records, size = 200_000, 1024
	us, eu := kafkatest.Shared(b, "us"), kafkatest.Shared(b, "eu")
	source, destination := kafkatest.UniqueTopic(b, "orders"), kafkatest.UniqueTopic(b, "us.orders")
	w := kafkatest.Workload{Records: records, Partitions: partitions, Size: size, Start: time.Now()}
	us.CreateTopic(b, source, partitions)
	us.Produce(b, source, w)
	eu.CreateTopic(b, destination, partitions)
	eu.Produce(b, destination, w)
	from, to := us.Client(b), eu.Client(b)
	b.SetBytes(records * size)
	for b.Loop() {
		if report, err := Copy(b.Context(), from, to, source, destination); err != nil || !report.OK() {
			b.Fatal(report, err)
		}
	}
}
