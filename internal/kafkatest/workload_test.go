package kafkatest

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// content is what of a record a test compares.
type content struct {
	Partition  int32
	Offset     int64
	Key, Value []byte
	Headers    []kgo.RecordHeader
	Timestamp  int64
}

func contents(records []*kgo.Record) []content {
	var all []content
	for _, r := range records {
		all = append(all, content{r.Partition, r.Offset, r.Key, r.Value, r.Headers, r.Timestamp.UnixMilli()})
	}
	slices.SortFunc(all, func(a, b content) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	return all
}

func sameRecords(t *testing.T, got, want []*kgo.Record) {
	t.Helper()
	if !reflect.DeepEqual(contents(want), contents(got)) { // cmp.Diff is slow where nothing differs
		t.Errorf("records differ (- want, + got):\n%.4000s", cmp.Diff(contents(want), contents(got)))
	}
}

func TestProduceAndReadAll(t *testing.T) {
	c := Shared(t, "us")
	tests := map[string]Workload{
		"plain":        {Codec: kgo.NoCompression()},
		"gzip":         {Codec: kgo.GzipCompression()},
		"snappy":       {Codec: kgo.SnappyCompression()},
		"lz4":          {Codec: kgo.Lz4Compression()},
		"zstd":         {Codec: kgo.ZstdCompression()},
		"sized":        {Size: 1024},
		"transactions": {Transactions: true},
	}
	for name, w := range tests {
		t.Run(name, func(t *testing.T) {
			topic := UniqueTopic(t, "orders")
			c.CreateTopic(t, topic, 3, "max.message.bytes", "2000000")
			w.Records, w.Partitions = 420, 3
			want := c.Produce(t, topic, w)
			if len(want) != w.Records {
				t.Fatalf("%d records, not %d", len(want), w.Records)
			}
			sameRecords(t, c.ReadAll(t, topic, logread.Committed), want)
			if raw := c.ReadAll(t, topic, logread.Uncommitted); w.Transactions != (len(raw) > len(want)) {
				t.Errorf("%d records uncommitted, %d committed", len(raw), len(want))
			}
		})
	}
}

func TestReadAllEndsAtAnAbortedTail(t *testing.T) {
	c := Shared(t, "us")
	topic := UniqueTopic(t, "orders")
	c.CreateTopic(t, topic, 1)
	want := c.Produce(t, topic, Workload{Records: 10, Partitions: 1})
	tail := Workload{Seed: 9, Records: 10, Partitions: 1, Start: time.Now()}
	client := c.Client(t, kgo.DefaultProduceTopic(topic), kgo.TransactionalID(topic))
	transact(t, client, tail.records(0, 10), kgo.TryAbort)
	sameRecords(t, c.ReadAll(t, topic, logread.Committed), want)
}

func TestReadAllOfAnEmptyTopic(t *testing.T) {
	c := Shared(t, "us")
	topic := UniqueTopic(t, "orders")
	c.CreateTopic(t, topic, 4)
	if got := c.ReadAll(t, topic, logread.Committed); len(got) != 0 {
		t.Errorf("%d records in an empty topic", len(got))
	}
}

// The shapes are the point of the workload: a change that loses one makes every test that uses it weaker in silence.
func TestWorkloadHasEveryShape(t *testing.T) {
	w := Workload{Seed: 3, Partitions: 4, Start: time.Now()}
	seen := make(map[string]bool)
	var before time.Time
	for i := range 200 {
		r := w.Record(i)
		seen["null key"] = seen["null key"] || r.Key == nil
		seen["empty key"] = seen["empty key"] || r.Key != nil && len(r.Key) == 0
		seen["null value"] = seen["null value"] || r.Value == nil
		seen["empty value"] = seen["empty value"] || r.Value != nil && len(r.Value) == 0
		seen["no headers"] = seen["no headers"] || len(r.Headers) == 0
		seen["header twice"] = seen["header twice"] || len(r.Headers) > 4 && r.Headers[0].Key == r.Headers[4].Key
		seen["time goes back"] = seen["time goes back"] || r.Timestamp.Before(before)
		before = r.Timestamp
	}
	if len(seen) != 7 {
		t.Errorf("shapes: %v", seen)
	}
	for shape, is := range seen {
		if !is {
			t.Errorf("no record with %s", shape)
		}
	}
}

func TestWorkloadIsDeterministic(t *testing.T) {
	w := Workload{Seed: 5, Records: 50, Partitions: 3, Size: 300, Start: time.Unix(1_800_000_000, 0)}
	if diff := cmp.Diff(contents(w.records(0, 50)), contents(w.records(0, 50))); diff != "" {
		t.Error(diff)
	}
	if len(w.Record(7).Value) != 300 {
		t.Errorf("%d bytes, not 300", len(w.Record(7).Value))
	}
}
