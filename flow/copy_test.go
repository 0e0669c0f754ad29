package flow_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

var fakes atomic.Int32

type quiet struct{}

func (quiet) Arrived(topology.Shard, flow.Spec, time.Duration) {}
func (quiet) TookOver(topology.Shard)                          {}

// fake starts a cluster in this process.
func fake(t *testing.T) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.ClusterID(t.Name()+strconv.Itoa(int(fakes.Add(1)))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func client(t *testing.T, addrs []string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addrs...))...)
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
		held = append(held, flow.Held{Shard: topology.Shard{Origin: origin, Destination: dst, Number: n}, Epoch: epoch})
	}
	return held
}

func manager(t *testing.T, dc string) *flow.Manager {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	m := flow.NewManager(flow.Config{
		Node: dc + "-1", Log: log, Observer: quiet{},
		Dialer: &kafka.Dialer{Datacenter: dc, ClientID: "meshd/" + dc},
	})
	t.Cleanup(m.Close)
	return m
}

func TestCopiesATopicOnce(t *testing.T) {
	us, eu := fake(t), fake(t)
	top := pairOf(t, us.ListenAddrs(), eu.ListenAddrs())
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	src := client(t, us.ListenAddrs())
	if _, err := kadm.NewClient(src).CreateTopic(ctx, 8, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	const n = 10_000
	for i := range n {
		src.Produce(ctx, &kgo.Record{Topic: "orders", Key: fmt.Append(nil, i), Value: fmt.Append(nil, "v", i)}, nil)
	}
	if err := src.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	m := manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	dst := client(t, eu.ListenAddrs(), kgo.ConsumeTopics("us.orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for len(seen) < n {
		fs := dst.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of %d records arrived", len(seen), n)
		}
		fs.EachRecord(func(r *kgo.Record) { seen[string(r.Key)]++ })
	}
	for k, c := range seen {
		if c != 1 {
			t.Errorf("record %s arrived %d times", k, c)
		}
	}
}
