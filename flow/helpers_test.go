package flow_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

var fakes atomic.Int32

type quiet struct{}

func (quiet) Arrived(topology.Shard, flow.Spec, time.Duration) {}
func (quiet) TookOver(topology.Shard)                          {}
func (quiet) Switched(topology.Pair, string, loop.Reason)      {}

// fake starts a cluster in this process.
func fake(t *testing.T, more ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append(more, kfake.NumBrokers(3), kfake.ClusterID("fake-"+strconv.Itoa(int(fakes.Add(1)))))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func client(t *testing.T, addrs []string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addrs...), kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second))...) // new partitions are seen soon
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func pairOf(t *testing.T, us, eu []string) *topology.Topology {
	t.Helper()
	text := fmt.Sprintf(`
version: 1
mesh: test
clusters:
  us: {bootstrap: [%q]}
  eu: {bootstrap: [%q]}
nodes:
  us-1: {datacenter: us, address: 127.0.0.1}
  eu-1: {datacenter: eu, address: 127.0.0.2}
links:
  - between: [us, eu]
    topics: {include: [".*"]}
intervals: {discovery: 1s, progress: 1s}
`, us[0], eu[0])
	top, err := topology.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func all(origin, dst topology.Alias, epoch uint64) (held []flow.Held) {
	for n := range topology.Shards {
		held = append(held, flow.Held{Shard: topology.Shard{Origin: origin, Destination: dst, Number: n}, Epoch: epoch, Over: flow.Any})
	}
	return held
}

func manager(t *testing.T, dc string) *flow.Manager {
	t.Helper()
	return managerTo(t, dc+"-1", dc, t.Output())
}

func managerAs(t *testing.T, node, dc string) *flow.Manager {
	t.Helper()
	return managerTo(t, node, dc, t.Output())
}

// managerTo is one that logs to w.
func managerTo(t *testing.T, node, dc string, w io.Writer) *flow.Manager {
	t.Helper()
	return managerWith(t, flow.Config{
		Node: node, Log: slog.New(slog.NewTextHandler(w, nil)), Observer: quiet{},
		Dialer: &kafka.Dialer{Datacenter: dc, ClientID: "meshd/" + dc},
	})
}

// managerWith is one that logs to the test unless it is told otherwise.
func managerWith(t *testing.T, cfg flow.Config) *flow.Manager {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	m := flow.NewManager(cfg)
	t.Cleanup(m.Close)
	return m
}

// records reads n records of a topic, read uncommitted as most consumers do, and fails if they do not come.
func records(ctx context.Context, t *testing.T, addrs []string, topic string, n int) map[int32][]string {
	t.Helper()
	cl := client(t, addrs, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	out, got := map[int32][]string{}, 0
	for got < n {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of %d records of %s arrived", got, n, topic)
		}
		fs.EachRecord(func(r *kgo.Record) {
			out[r.Partition] = append(out[r.Partition], string(r.Key))
			got++
		})
	}
	return out
}

func create(ctx context.Context, t *testing.T, cl *kgo.Client, topic string, partitions int32) {
	t.Helper()
	if _, err := kadm.NewClient(cl).CreateTopic(ctx, partitions, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
}

// produce writes records with the keys from..to-1, in turn to each partition.
func produce(ctx context.Context, t *testing.T, cl *kgo.Client, topic string, partitions int32, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		cl.Produce(ctx, &kgo.Record{Topic: topic, Partition: int32(i) % partitions, Key: strconv.AppendInt(nil, int64(i), 10), Value: []byte("v")}, func(_ *kgo.Record, err error) {
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// same fails unless both topics hold the same keys in the same order in every partition.
func same(t *testing.T, want, got map[int32][]string) {
	t.Helper()
	for p, keys := range want {
		if !slices.Equal(keys, got[p]) {
			t.Errorf("partition %d: %d records at the source, %d at the destination, or in another order", p, len(keys), len(got[p]))
		}
	}
}

func committed(ctx context.Context, t *testing.T, addrs []string, topic string, n int) map[int32][]string {
	t.Helper()
	cl := client(t, addrs, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	out, got := map[int32][]string{}, 0
	for got < n {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of %d committed records of %s", got, n, topic)
		}
		fs.EachRecord(func(r *kgo.Record) {
			out[r.Partition] = append(out[r.Partition], string(r.Key))
			got++
		})
	}
	return out
}

func topicsOf(ctx context.Context, t *testing.T, cl *kgo.Client) map[string]bool {
	t.Helper()
	md, err := kadm.NewClient(cl).ListTopics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, name := range md.Names() {
		out[name] = true
	}
	return out
}
