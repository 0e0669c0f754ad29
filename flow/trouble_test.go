package flow_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

// await polls a snapshot until it is as wanted, and says at the end what it was instead.
func await(ctx context.Context, t *testing.T, m interface{ Status() flow.Status }, what string, ok func(flow.PairStatus) bool) flow.PairStatus {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		st := m.Status()
		if len(st.Pairs) > 0 && ok(st.Pairs[0]) {
			return st.Pairs[0]
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: never came; last seen: %+v", what, st)
		}
	}
}

// reasonOf returns the code of why a topic's first partition, or the topic, stands still.
func reasonOf(p flow.PairStatus, topic string) string {
	for _, x := range p.Partitions {
		if x.Topic == topic && x.Reason != nil {
			return x.Reason.Code
		}
	}
	for _, x := range p.Topics {
		if x.Topic == topic && x.Reason != nil {
			return x.Reason.Code
		}
	}
	return ""
}

// gapped copies 100 records, stops, and has the source forget what came after.
func gapped(ctx context.Context, t *testing.T, onGap string) (*flow.Manager, []string) {
	t.Helper()
	return gappedTo(ctx, t, onGap, t.Output())
}

func gappedTo(ctx context.Context, t *testing.T, onGap string, log io.Writer) (*flow.Manager, []string) {
	t.Helper()
	us, eu := fake(t), fake(t)
	top := pairOf(t, us.ListenAddrs(), eu.ListenAddrs())
	top.Links[0].Settings.OnGap = onGap
	src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	create(ctx, t, src, "orders", 1)
	produce(ctx, t, src, "orders", 1, 0, 100)
	m := manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	records(ctx, t, eu.ListenAddrs(), "us.orders", 100)
	m.Close()
	produce(ctx, t, src, "orders", 1, 100, 200)
	cut := kadm.Offsets{}
	cut.Add(kadm.Offset{Topic: "orders", Partition: 0, At: 150})
	if _, err := kadm.NewClient(src).DeleteRecords(ctx, cut); err != nil {
		t.Fatal(err)
	}
	m = managerTo(t, "eu-1", "eu", log)
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	return m, eu.ListenAddrs()
}

func TestRetentionGapStopsThePartition(t *testing.T) {
	ctx := deadline(t)
	m, _ := gapped(ctx, t, "stop")
	await(ctx, t, m, "the gap", func(p flow.PairStatus) bool { return reasonOf(p, "orders") == "retention_gap" })
}

func TestRetentionGapIsSteppedOverByPolicy(t *testing.T) {
	ctx := deadline(t)
	m, eu := gapped(ctx, t, "continue")
	got := records(ctx, t, eu, "us.orders", 150)
	if got[0][100] != "150" {
		t.Errorf("goes on with record %s, want 150", got[0][100])
	}
	st := await(ctx, t, m, "the gap", func(p flow.PairStatus) bool { return len(p.Partitions) == 1 && p.Partitions[0].Stats.Gaps > 0 })
	if n := st.Partitions[0].Stats.GapRecords; n != 50 {
		t.Errorf("gap of %d offsets, want 50", n)
	}
}

// A topic that was deleted and made again is another topic: what was copied is not continued with its records.
func TestRecreatedSourceStops(t *testing.T) {
	t.Parallel()
	us, eu := fake(t), fake(t)
	top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
	src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	create(ctx, t, src, "orders", 1)
	produce(ctx, t, src, "orders", 1, 0, 100)
	m := manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	records(ctx, t, eu.ListenAddrs(), "us.orders", 100)
	if _, err := kadm.NewClient(src).DeleteTopics(ctx, "orders"); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, m, "the deletion", func(p flow.PairStatus) bool { return reasonOf(p, "orders") == "source_deleted" })
	create(ctx, t, src, "orders", 1)
	produce(ctx, t, client(t, us.ListenAddrs()), "orders", 1, 1000, 1200)
	await(ctx, t, m, "the new topic", func(p flow.PairStatus) bool { return reasonOf(p, "orders") == "source_recreated" })
}

// A lost progress topic is a state, not a start from the beginning.
func TestLostProgressStops(t *testing.T) {
	t.Parallel()
	us, eu := fake(t), fake(t)
	top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
	src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	create(ctx, t, src, "orders", 1)
	produce(ctx, t, src, "orders", 1, 0, 100)
	m := manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	records(ctx, t, eu.ListenAddrs(), "us.orders", 100)
	m.Close()
	if _, err := kadm.NewClient(client(t, eu.ListenAddrs())).DeleteTopics(ctx, "meshd.progress.us"); err != nil {
		t.Fatal(err)
	}
	m = manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, m, "the loss", func(p flow.PairStatus) bool { return reasonOf(p, "orders") == "resume_point_lost" })
	dst := client(t, eu.ListenAddrs()) // what the hint says
	if _, err := kadm.NewClient(dst).DeleteTopics(ctx, "us.orders"); err != nil {
		t.Fatal(err)
	}
	create(ctx, t, dst, "us.orders", 1)
	records(ctx, t, eu.ListenAddrs(), "us.orders", 100)
}

// One partition that the destination refuses stops alone, and goes on when the reason is gone.
func TestTooLargeStopsAlone(t *testing.T) {
	t.Parallel()
	us, eu := fake(t), fake(t)
	top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
	src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	create(ctx, t, src, "orders", 2)
	produce(ctx, t, src, "orders", 2, 0, 100)
	m := manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	records(ctx, t, eu.ListenAddrs(), "us.orders", 100)
	limit(ctx, t, eu.ListenAddrs(), "5000")
	if err := src.ProduceSync(ctx, &kgo.Record{Topic: "orders", Partition: 0, Key: []byte("big"), Value: make([]byte, 10_000)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	produce(ctx, t, src, "orders", 2, 101, 102) // to the other partition
	records(ctx, t, eu.ListenAddrs(), "us.orders", 101)
	await(ctx, t, m, "the refusal", func(p flow.PairStatus) bool { return reasonOf(p, "orders") == "record_too_large" })
	limit(ctx, t, eu.ListenAddrs(), "1000000")
	records(ctx, t, eu.ListenAddrs(), "us.orders", 102)
}

func limit(ctx context.Context, t *testing.T, addrs []string, bytes string) {
	t.Helper()
	_, err := kadm.NewClient(client(t, addrs)).AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &bytes}}, "us.orders")
	if err != nil {
		t.Fatal(err)
	}
}

// Partitions that are added at the source are added to the copy, and read from their beginning.
func TestGrowsWithItsSource(t *testing.T) {
	t.Parallel()
	us, eu := fake(t), fake(t)
	top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
	top.Links[0].Settings.Start = topology.Start{Latest: true}
	src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	create(ctx, t, src, "orders", 1)
	m := manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, m, "the first look", func(p flow.PairStatus) bool {
		return p.Ready && len(p.Partitions) > 0 && p.Partitions[0].State == flow.Streaming
	})
	if _, err := kadm.NewClient(src).UpdatePartitions(ctx, 3, "orders"); err != nil {
		t.Fatal(err)
	}
	grown := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	produce(ctx, t, grown, "orders", 3, 0, 300)
	records(ctx, t, eu.ListenAddrs(), "us.orders", 300)
}
