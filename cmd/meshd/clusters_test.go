package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/rebuild"
	"github.com/meshd/meshd/checkpoint/trace"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// realm is clusters us and eu with a node each, which share the topic orders, for commands that go to clusters themselves.
type realm struct {
	file    string
	top     *topology.Topology
	clients map[topology.Alias]*kgo.Client
	nodes   map[topology.Alias]*flow.Manager
}

func newRealm(t *testing.T) *realm {
	t.Helper()
	r := &realm{file: filepath.Join(t.TempDir(), "topology.yaml"), clients: map[topology.Alias]*kgo.Client{}, nodes: map[topology.Alias]*flow.Manager{}}
	var clusters strings.Builder
	for _, a := range []topology.Alias{"us", "eu"} {
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID(string(a)+"-id"), kfake.SeedTopics(1, "orders"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		if r.clients[a], err = kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("orders")); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.clients[a].Close)
		fmt.Fprintf(&clusters, "  %s: {bootstrap: [%q]}\n", a, c.ListenAddrs()[0])
	}
	text := "version: 1\nmesh: test\nintervals: {discovery: 200ms, progress: 100ms}\nclusters:\n" + clusters.String() + `nodes:
  us-1: {datacenter: us, address: 127.0.0.1}
  eu-1: {datacenter: eu, address: 127.0.0.2}
links:
  - {between: [us, eu], naming: identity, topics: {include: [orders]}}
`
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.top, err = topology.Parse("test.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	return r
}

// start runs the node of a cluster until it is closed.
func (r *realm) start(t *testing.T, at, from topology.Alias) {
	t.Helper()
	m := flow.NewManager(flow.Config{
		Node: string(at) + "-1", Log: slog.New(slog.DiscardHandler), Observer: silent{}, Dialer: &kafka.Dialer{Datacenter: string(at), ClientID: "test"},
	})
	t.Cleanup(m.Close)
	r.nodes[at] = m
	var held []flow.Held
	for n := range topology.Shards {
		held = append(held, flow.Held{Shard: topology.Shard{Origin: from, Destination: at, Number: n}, Epoch: 1, Over: flow.Any})
	}
	if err := m.Apply(r.top, held); err != nil {
		t.Fatal(err)
	}
}

type silent struct{}

func (silent) Arrived(topology.Shard, flow.Spec, time.Duration) {}
func (silent) TookOver(topology.Shard)                          {}
func (silent) Switched(topology.Pair, string, loop.Reason)      {}

// run executes a command line with the realm's topology, and returns what it prints and its exit code.
func (r *realm) run(ctx context.Context, args ...string) (out, errs string, code int) {
	var stdout, stderr bytes.Buffer
	code = run(ctx, append(args, "--topology", r.file), &stdout, &stderr)
	return stdout.String(), stderr.String(), code
}

func wants(t *testing.T, what, out string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(out, p) {
			t.Errorf("%s: no %q in\n%s", what, p, out)
		}
	}
}

// TestStoryAndRebuild tells the story of a record that was carried, loses the registries where it lies, and rebuilds them.
func TestStoryAndRebuild(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := newRealm(t)
	r.start(t, "eu", "us")
	r.start(t, "us", "eu")
	if err := r.clients["us"].ProduceSync(ctx, kgo.StringRecord("v")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	var out, errs string
	var s trace.Report
	for offset := int64(0); s.Writer == nil || !s.Writer.Registered || s.State != trace.Record || len(s.Copies) < 2 || s.Copies[0].State != "here"; offset = (offset + 1) % 5 { // a fence's markers lie before it
		s = trace.Report{}
		out, errs, _ = r.run(ctx, "explain", "record", "eu", "orders", "0", strconv.FormatInt(offset, 10), "-o", "json")
		if json.Unmarshal([]byte(out), &s) != nil || ctx.Err() != nil {
			t.Fatalf("%s%s", out, errs)
		}
	}
	out, errs, code := r.run(ctx, "explain", "record", "eu", "orders", "0", strconv.FormatInt(s.Offset, 10))
	t.Log("\n" + out)
	wants(t, "the story", out, "registered: the writer of shard", "origin: us orders/0 at 0 (incarnation 0", "eu       orders  here", "us       orders  home    0", "eu->us  suppress own")
	if code != 0 || errs != "" {
		t.Errorf("exit %d, %s", code, errs)
	}
	r.noted(ctx, t, "us", "eu")
	r.nodes["eu"].Close()
	r.nodes["us"].Close()
	r.incarnate(ctx, t, "us", "eu", 3)
	if _, err := kadm.NewClient(r.clients["eu"]).DeleteTopics(ctx, "meshd.topics", "meshd.writers"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args  []string
		parts []string
	}{
		{[]string{"--dry-run"}, []string{"meshd.topics   0      ", "          begins anew", "orders!us (orders of us)", "WOULD ADD", "by its ledger", "us reads from here, and would be told", "a dry run"}},
		{nil, []string{"ADDED", "us reads from here, and was told", "start the nodes of eu's datacenter"}},
		{nil, []string{"goes on", "us reads from here, and has nothing to be told", "nothing was missing"}},
	} {
		out, errs, code := r.run(ctx, append([]string{"registry", "rebuild", "--at", "eu"}, step.args...)...)
		if t.Log("\n" + out); code != 0 || errs != "" {
			t.Fatalf("exit %d, %s", code, errs)
		}
		wants(t, fmt.Sprint("rebuild ", step.args), out, step.parts...)
	}
	eu := checkpoint.NewTopics(r.dial(t, "eu"))
	if err := eu.Refresh(ctx); err != nil || len(eu.Incarnations("orders")) != 1 || eu.Incarnations("orders")[0].Number != 3 {
		t.Errorf("incarnations of orders: %+v, %v", eu.Incarnations("orders"), err)
	}
	var again rebuild.Report
	if out, _, _ := r.run(ctx, "registry", "rebuild", "--at", "eu", "-o", "json"); json.Unmarshal([]byte(out), &again) != nil || again.Changed() || again.Birth == "" {
		t.Errorf("again: %s", out)
	}
}

func (r *realm) dial(t *testing.T, a topology.Alias) *kafka.Cluster {
	t.Helper()
	d := &kafka.Dialer{Datacenter: string(a), ClientID: "test"}
	c, err := d.Dial(r.top.Clusters[a], checkpoint.TableWriter()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// noted waits until a cluster has noted how far it has come in an origin's topic.
func (r *realm) noted(ctx context.Context, t *testing.T, at, origin topology.Alias) {
	t.Helper()
	h := checkpoint.NewHoldings(r.dial(t, at), origin)
	for ok := false; !ok; _, ok = h.Progress("orders", 0) {
		if err := h.Refresh(ctx); err != nil && !checkpoint.IsNoTable(err) {
			t.Fatal(err)
		}
	}
}

// incarnate has a cluster's progress say that it reads a later incarnation of an origin's topic.
func (r *realm) incarnate(ctx context.Context, t *testing.T, at, origin topology.Alias, number int32) {
	t.Helper()
	c := r.dial(t, at)
	h := checkpoint.NewHoldings(c, origin)
	if err := h.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	p, ok := h.Progress("orders", 0)
	if !ok {
		t.Fatal("nothing was noted")
	}
	p.Incarnation = number
	rec := &kgo.Record{Topic: checkpoint.ProgressTopic(origin), Partition: int32(topology.ShardOf("orders", 0)), Key: []byte(checkpoint.PartitionKey("orders", 0)), Value: p.Encode()}
	if err := checkpoint.Append(ctx, c, rec); err != nil {
		t.Fatal(err)
	}
}
