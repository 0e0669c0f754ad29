package main

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }

// batches counts the batches that a client reads, by their number of records.
type batches struct {
	mu sync.Mutex
	of map[int]int
}

func (b *batches) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of[m.NumRecords]++
}

// The source has batches of as many records as a cell says, whatever the codec, and every record of its number, once.
func TestFill(t *testing.T) {
	k := kafkatest.Shared(t, "us")
	c := &cluster{alias: "us", address: k.Bootstrap()[0]}
	for _, w := range []workload{
		{records: 2400, size: 1024, partitions: 2, codec: "none", batch: 1},
		{records: 2400, size: 1024, partitions: 2, codec: "lz4", batch: 4},
		{records: 2400, size: 1024, partitions: 3, codec: "zstd", batch: 16},
	} {
		topic := kafkatest.UniqueTopic(t, "orders")
		if err := fill(t.Context(), c, topic, w); err != nil {
			t.Fatal(err)
		}
		seen := batches{of: map[int]int{}}
		client := k.Client(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.WithHooks(&seen))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		numbers := map[int]bool{}
		for len(numbers) < w.records && ctx.Err() == nil {
			for _, r := range client.PollFetches(ctx).Records() {
				if n := number(r); int(r.Partition) != n%w.partitions || len(r.Value) != w.size || time.Since(madeAt(r)) < 0 {
					t.Errorf("record %d of %d bytes in partition %d", n, len(r.Value), r.Partition)
				}
				numbers[number(r)] = true
			}
		}
		client.Close()
		if len(numbers) != w.records || seen.of[w.batch] < w.records/w.batch*3/4 {
			t.Errorf("%+v: %d records, batches by records %v", w, len(numbers), seen.of)
		}
	}
}

// An even load is numbered without gaps, a reader sees all of it, and knows what comes twice.
func TestLoadAndReader(t *testing.T) {
	k := kafkatest.Shared(t, "us")
	c := &cluster{alias: "us", address: k.Bootstrap()[0]}
	topic, w := kafkatest.UniqueTopic(t, "orders"), workload{size: 100, partitions: 2, codec: "lz4"}
	k.CreateTopic(t, topic, 2)
	r, err := startReader(t.Context(), c, topic)
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	l, err := startLoad(t.Context(), c, topic, w, 0, 2_000)
	if err != nil {
		t.Fatal(err)
	}
	arrived := func(n int) {
		t.Helper()
		err := await(t.Context(), "records", nil, func() (string, bool) { return "", r.count() >= n })
		if err != nil {
			t.Fatal(err)
		}
	}
	arrived(100)
	n, err := l.stop()
	if err != nil {
		t.Fatal(err)
	}
	arrived(n)
	w.records = 10
	if err := produce(t.Context(), c, topic, w, n-5); err != nil { // five again, five new ones
		t.Fatal(err)
	}
	arrived(n + 5)
	if r.total-r.distinct != 5 || r.distinct != n+5 || r.first(n).Before(r.first(0)) {
		t.Errorf("%d records, %d different ones, of %d", r.total, r.distinct, n+5)
	}
}
