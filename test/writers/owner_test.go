package writers

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/kafka"
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
	log  *journal
	name string
}

type quiet struct{}

func (quiet) Arrived(topology.Shard, flow.Spec, time.Duration) {}
func (quiet) TookOver(topology.Shard)                          {}

// start starts a node which takes every shard that the way's topics have, whoever has it.
func (w way) start(t testing.TB, name string) *owner {
	t.Helper()
	return w.startBehind(t, name, w.to.Bootstrap())
}

func (w way) startBehind(t testing.TB, name string, seeds []string) *owner {
	t.Helper()
	o := &owner{t: t, way: w, name: name, top: w.topology(t, seeds), log: &journal{}}
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

// part is what the node says of a partition.
func (o *owner) part(topic string, number int32) (flow.PartStatus, bool) {
	for _, p := range o.Status().Pairs {
		for _, x := range p.Partitions {
			if x.Topic == topic && x.Partition == number {
				return x, true
			}
		}
	}
	return flow.PartStatus{}, false
}

// says returns the reasons and warnings that the node gives, by code.
func (o *owner) says() map[string]kafka.Reason {
	all := map[string]kafka.Reason{}
	add := func(rs ...kafka.Reason) {
		for _, r := range rs {
			all[r.Code] = r
		}
	}
	some := func(r *kafka.Reason) {
		if r != nil {
			add(*r)
		}
	}
	for _, p := range o.Status().Pairs {
		some(p.Reason)
		for _, s := range p.Shards {
			some(s.Reason)
			add(s.Warnings...)
		}
		for _, x := range p.Topics {
			some(x.Reason)
		}
		for _, x := range p.Partitions {
			some(x.Reason)
			add(x.Warnings...)
		}
	}
	return all
}

func (o *owner) awaitSays(code string) (r kafka.Reason) {
	o.t.Helper()
	await(o.t, o.name+" to say "+code, func() (string, bool) {
		var ok bool
		r, ok = o.says()[code]
		return o.told(), ok
	})
	if r.Hint == "" || r.Text == "" {
		o.t.Errorf("%s says %s without a text or what to do: %+v", o.name, code, r)
	}
	return r
}

// told is the status in short.
func (o *owner) told() string {
	var b strings.Builder
	for _, p := range o.Status().Pairs {
		fmt.Fprintf(&b, "pair %s->%s ready %t %v\n", p.Source, p.Destination, p.Ready, p.Reason)
		for _, s := range p.Shards {
			fmt.Fprintf(&b, "  shard %d %s writer %s %v %v\n", s.Number, s.State, s.Writer, s.Reason, s.Warnings)
		}
		for _, x := range p.Partitions {
			fmt.Fprintf(&b, "  %s/%d %s next %d dest %d lag %d recopied %d zombie %d foreign %d %v %v\n",
				x.Topic, x.Partition, x.State, x.Next, x.Dest, x.Lag, x.Stats.Recopied, x.Stats.Zombie, x.Stats.Foreign, x.Reason, x.Warnings)
		}
	}
	return b.String()
}

// awaitState waits until a partition is in a state.
func (o *owner) awaitState(topic string, number int32, states ...flow.State) {
	o.t.Helper()
	await(o.t, fmt.Sprintf("%s/%d to be %v at %s", topic, number, states, o.name), func() (string, bool) {
		p, _ := o.part(topic, number)
		for _, s := range states {
			if p.State == s {
				return "", true
			}
		}
		return o.told(), false
	})
}

// awaitNext waits until records below an offset of the source are acknowledged.
func (o *owner) awaitNext(topic string, number int32, next int64) {
	o.t.Helper()
	await(o.t, fmt.Sprintf("%s to have copied %s/%d up to %d", o.name, topic, number, next), func() (string, bool) {
		p, _ := o.part(topic, number)
		return o.told(), p.Next >= next && p.State == flow.Streaming
	})
}

// writer is the producer id and epoch of the shard of a partition.
func (o *owner) writer(topic string, number int32) string {
	for _, p := range o.Status().Pairs {
		for _, s := range p.Shards {
			if s.Number == topology.ShardOf(topic, number) {
				return s.Writer
			}
		}
	}
	return ""
}

// journal keeps what a node logs.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}
