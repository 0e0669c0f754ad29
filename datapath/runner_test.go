package datapath_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/meshd/meshd/datapath"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type quiet struct{}

func (quiet) Arrived(topology.Shard, flow.Spec, time.Duration) {}
func (quiet) TookOver(topology.Shard)                          {}
func (quiet) Switched(topology.Pair, string, loop.Reason)      {}

func fake(t *testing.T, name string) []string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID(t.Name()+name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

func client(t *testing.T, addrs []string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addrs...), kgo.MetadataMinAge(50*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// mesh is two clusters with a node each.
type mesh struct {
	*testing.T
	ctx    context.Context //nolint:containedctx // the deadline of the test
	us, eu []string
	nodes  map[topology.Alias]*datapath.Runner
}

func newMesh(t *testing.T, before func(*mesh)) *mesh {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	m := &mesh{T: t, ctx: ctx, us: fake(t, "us"), eu: fake(t, "eu"), nodes: map[topology.Alias]*datapath.Runner{}}
	before(m)
	top, err := topology.Parse("test.yaml", fmt.Appendf(nil, `
version: 1
mesh: test
clusters: {us: {bootstrap: [%q]}, eu: {bootstrap: [%q]}}
nodes: {us-1: {datacenter: us}, eu-1: {datacenter: eu, address: 127.0.0.2}}
links: [{between: [us, eu], topics: {include: [".*"]}}]
intervals: {discovery: 1s, progress: 1s, groups: 1s}
`, m.us[0], m.eu[0]))
	if err != nil {
		t.Fatal(err)
	}
	for dc, other := range map[topology.Alias]topology.Alias{"us": "eu", "eu": "us"} {
		r := datapath.New(flow.Config{
			Node: string(dc) + "-1", Observer: quiet{}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
			Dialer: &kafka.Dialer{Datacenter: string(dc), ClientID: "meshd"},
		})
		t.Cleanup(r.Close)
		var held []flow.Held
		for n := range topology.Shards {
			held = append(held, flow.Held{Shard: topology.Shard{Origin: other, Destination: dc, Number: n}, Epoch: 1, Over: flow.Any})
		}
		if err := r.Apply(top, held); err != nil {
			t.Fatal(err)
		}
		m.nodes[dc] = r
	}
	return m
}

// read has the group consume n records of a topic, commit and leave. It returns the keys.
func (m *mesh) read(addrs []string, topic, group string, n int) (keys []string) {
	m.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		m.Fatal(err)
	}
	defer cl.Close()
	var rs []*kgo.Record
	for len(rs) < n {
		fs := cl.PollRecords(m.ctx, n-len(rs))
		if m.ctx.Err() != nil {
			m.Fatalf("%d of %d records of %s read", len(rs), n, topic)
		}
		rs = append(rs, fs.Records()...)
	}
	if err := cl.CommitRecords(m.ctx, rs...); err != nil {
		m.Fatal(err)
	}
	for _, r := range rs {
		keys = append(keys, string(r.Key))
	}
	return keys
}

// lag awaits that the group has n records of a topic to read. Kafka's lag counts offsets, and each of the four partitions of a copy
// holds the marker of a fence.
func (m *mesh) lag(addrs []string, topic, group string, n int64) {
	m.Helper()
	adm := kadm.NewClient(client(m.T, addrs))
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var seen int64
	for {
		lags, err := adm.Lag(m.ctx, group)
		if err == nil {
			total, ok := lags[group].Lag.TotalByTopic()[topic]
			if seen = total.Lag; ok && seen >= n && seen <= n+4 {
				return
			}
		}
		select {
		case <-tick.C:
		case <-m.ctx.Done():
			m.Fatalf("group %s has %d records of %s to read, not %d; sync: %+v %+v", group, seen, topic, n, m.nodes["eu"].Groups(), m.nodes["us"].Groups())
		}
	}
}

// A group reads a half here, a part there, and the rest at home: every record once.
func TestGroupGoesAndComesHome(t *testing.T) {
	m := newMesh(t, func(*mesh) {})
	src := client(t, m.us, kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if _, err := kadm.NewClient(src).CreateTopic(m.ctx, 4, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	const n = 1000
	for i := range n {
		src.Produce(m.ctx, &kgo.Record{Topic: "orders", Key: fmt.Append(nil, i)}, nil)
	}
	if err := src.Flush(m.ctx); err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	note := func(keys []string) {
		for _, k := range keys {
			times[k]++
		}
	}
	note(m.read(m.us, "orders", "billing", 500))
	m.lag(m.eu, "us.orders", "billing", 500)
	note(m.read(m.eu, "us.orders", "billing", 100))
	m.lag(m.us, "orders", "billing", 400)
	note(m.read(m.us, "orders", "billing", 400))
	for k, c := range times {
		if c != 1 {
			t.Errorf("record %s was read %d times", k, c)
		}
	}
	if len(times) != n {
		t.Errorf("%d of %d records were read", len(times), n)
	}
}

// The same name in use on both sides is two groups: neither is touched.
func TestGroupsOfOneNameStaySeparate(t *testing.T) {
	m := newMesh(t, useOnBothSides)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !separate(m.nodes["eu"]) {
		select {
		case <-tick.C:
		case <-m.ctx.Done():
			t.Fatalf("never seen as separate: %+v", m.nodes["eu"].Groups())
		}
	}
	commits, err := kadm.NewClient(client(t, m.eu)).FetchOffsets(m.ctx, "twins")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := commits.Lookup("us.local", 0); ok {
		t.Error("a separate group was placed")
	}
}

func useOnBothSides(m *mesh) {
	for _, addrs := range [][]string{m.us, m.eu} {
		cl := client(m.T, addrs)
		if _, err := kadm.NewClient(cl).CreateTopic(m.ctx, 1, 1, nil, "local"); err != nil {
			m.Fatal(err)
		}
		for range 10 {
			cl.Produce(m.ctx, &kgo.Record{Topic: "local"}, nil)
		}
		if err := cl.Flush(m.ctx); err != nil {
			m.Fatal(err)
		}
		m.read(addrs, "local", "twins", 5)
	}
}

func separate(r *datapath.Runner) bool {
	for _, s := range r.Groups() {
		for _, g := range s.Groups {
			for _, p := range g.Partitions {
				if g.Group == "twins" && p.Why == "separate: commits of its own on both sides" {
					return true
				}
			}
		}
	}
	return false
}
