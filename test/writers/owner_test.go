package writers

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// way is where topics are copied from and to.
type way struct {
	from, to *kafkatest.Cluster
	origin   string // alias of the source
	mesh     string
	topics   []string
	more     string // further keys of the link
	login    string // further keys of the destination
}

func (w way) remote(topic string) string { return w.origin + "." + topic }

func (w way) topology(t testing.TB, seeds []string) *topology.Topology {
	t.Helper()
	text := fmt.Sprintf(`
version: 1
mesh: %s
clusters:
  %s: {bootstrap: [%s]}
  eu: {bootstrap: [%s], internal_replication_factor: 1%s}
nodes:
  away: {datacenter: %[2]s, address: 127.0.0.1}
  eu-1: {datacenter: eu, address: 127.0.0.2}
links:
  - from: [%[2]s]
    to: [eu]
    topics: {include: [%[6]s]}
%[7]s
intervals: {discovery: 1s, progress: 500ms}
`, w.mesh, w.origin, strings.Join(w.from.Bootstrap(), ", "), strings.Join(seeds, ", "), w.login, strings.Join(w.topics, ", "), w.more)
	top, err := topology.Parse("test.yaml", []byte(text))
	must(t, err)
	return top
}

// owner is a node that copies what a way has.
type owner struct {
	*flow.Manager
	t    testing.TB
	way  way
	top  *topology.Topology
	log  *kafkatest.Journal
	name string
}

type quiet struct{}

func (quiet) Arrived(topology.Shard, flow.Spec, time.Duration) {}
func (quiet) TookOver(topology.Shard)                          {}
func (quiet) Switched(topology.Pair, string, loop.Reason)      {}

// start starts a node which takes every shard that the way's topics have, whoever has it.
func (w way) start(t testing.TB, name string) *owner {
	t.Helper()
	return w.startBehind(t, name, w.to.Bootstrap())
}

func (w way) startBehind(t testing.TB, name string, seeds []string) *owner {
	t.Helper()
	o := &owner{t: t, way: w, name: name, top: w.topology(t, seeds), log: &kafkatest.Journal{}}
	o.Manager = flow.NewManager(flow.Config{
		Node: name, Log: slog.New(slog.NewTextHandler(o.log, nil)), Observer: quiet{},
		Dialer: &kafka.Dialer{Datacenter: "eu", ClientID: "meshd/" + name},
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s:\n%s\n%s", name, o.log.String(), o.told())
		}
		o.Close()
	})
	must(t, o.Apply(o.top, w.held(t)))
	return o
}

// in has a subtest wait for what the node does.
func (o *owner) in(t testing.TB) *owner {
	o.t = t
	return o
}

// held are the shards of the first partitions of the topics.
func (w way) held(t testing.TB) (held []flow.Held) {
	t.Helper()
	had := map[int]bool{}
	for _, topic := range w.topics {
		for p := range partitions {
			n := topology.ShardOf(topic, p)
			if !had[n] {
				had[n] = true
				held = append(held, flow.Held{
					Shard: topology.Shard{Origin: topology.Alias(w.origin), Destination: "eu", Number: n}, Epoch: 1, Over: flow.Any,
				})
			}
		}
	}
	return held
}

// partitions are the most that a topic has here.
const partitions = int32(2)
