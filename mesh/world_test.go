package mesh

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/meshd/meshd/mesh/gossip"
	"github.com/meshd/meshd/mesh/gossip/lossy"
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/topology"
)

// A probe that memberlist has under way when it is shut down ends by itself when its time is up.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).probeNode"),
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).handleIndirectPing.func2"))
}

// world is a mesh in one process: networks in memory, a registry for each datacenter.
type world struct {
	topology *topology.Topology
	network  *lossy.Network
	rafts    map[string]*raft.InmemTransport // by node, of those that are up
	apart    func(a, b string) bool          // which nodes' rafts don't reach each other
	kafka    map[string]*registry            // by datacenter
	nodes    map[string]*testNode
}

type testNode struct {
	*Node
	w      *world
	name   string
	dir    string
	runner *runner
	file   *topology.Topology
}

// yaml is a topology of two clusters in two datacenters; nodes are named by the datacenter's first two letters.
func yaml(version int, extra string, nodes ...string) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "version: %d\nmesh: m\ninsecure: true\nclusters:\n", version)
	fmt.Fprint(b, "  us: {datacenter: us, bootstrap: [\"10.9.9.1:9092\"]}\n  eu: {datacenter: eu, bootstrap: [\"10.9.9.2:9092\"]}\nnodes:\n")
	for i, name := range nodes {
		fmt.Fprintf(b, "  %s: {datacenter: %s, gossip: \"10.0.0.%d:7946\", raft: \"10.0.0.%d:7947\", admin: \"127.0.0.1:%d\"}\n", name, name[:2], i+1, i+1, 8000+i)
	}
	fmt.Fprintf(b, "links:\n  - between: [us, eu]\n    topics: {include: [\".*\"]}\n%s", extra)
	return b.String()
}

func parse(t *testing.T, source string) *topology.Topology {
	t.Helper()
	topo, err := topology.Parse("topology.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

func newWorld(t *testing.T, names ...string) *world {
	t.Helper()
	w := &world{
		topology: parse(t, yaml(1, "", names...)), network: lossy.New(), rafts: map[string]*raft.InmemTransport{},
		apart: func(_, _ string) bool { return false },
		kafka: map[string]*registry{"us": newRegistry(), "eu": newRegistry()}, nodes: map[string]*testNode{},
	}
	for _, name := range names {
		w.nodes[name] = &testNode{w: w, name: name, dir: t.TempDir(), file: w.topology}
	}
	return w
}

func (w *world) start(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		w.nodes[name].start(t)
	}
}

func (n *testNode) start(t *testing.T) {
	t.Helper()
	listed := n.w.topology.Nodes[n.name]
	_, transport := raft.NewInmemTransport(raft.ServerAddress(listed.Raft))
	n.w.rafts[n.name] = transport
	n.w.connect()
	n.runner = newRunner(n.name, n.w.kafka[listed.Datacenter])
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("MESH_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil)).With(slog.String("on", n.name))
	}
	var err error
	n.Node, err = Start(Config{
		Node: n.name, DataDir: n.dir, Topology: n.file, Build: "test", Runner: n.runner, Liveness: n.runner, Log: log,
		Metrics: prometheus.NewRegistry(), GossipTransport: n.w.network.Attach(listed.Gossip), RaftTransport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// connect makes the rafts reach each other, apart from those that are apart.
func (w *world) connect() {
	for a, from := range w.rafts {
		from.DisconnectAll()
		for b, to := range w.rafts {
			if a != b && !w.apart(a, b) {
				from.Connect(to.LocalAddr(), to)
			}
		}
	}
}

// kill ends a node from one moment to the next.
func (n *testNode) kill(t *testing.T) {
	t.Helper()
	if n.Node == nil {
		return
	}
	n.runner.kill()
	delete(n.w.rafts, n.name)
	n.w.connect()
	n.shut(t)
}

func (n *testNode) shut(t *testing.T) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	n.Node = nil
}

// bubble runs a test in virtual time, and ends all nodes after it.
func bubble(t *testing.T, names []string, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, names...)
		defer time.Sleep(time.Minute) // memberlist's last probes and timers end by themselves
		defer func() {
			for _, n := range w.nodes {
				n.kill(t)
			}
		}()
		test(t, w)
	})
}

func (w *world) up(datacenter string) (names []string) {
	for name, n := range w.nodes {
		if n.Node != nil && name[:2] == datacenter {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// await lets virtual time go on until something is so, and returns how long that took.
func await(t *testing.T, limit time.Duration, what string, is func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !is() {
		if time.Since(began) > limit {
			t.Fatalf("%s: not so after %v", what, limit)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(began)
}

// served says whether each shard of a datacenter was written in the last moment, and by one node.
func (w *world) served(datacenter string) bool {
	written := w.kafka[datacenter].writers(time.Now().Add(-3 * writeEvery))
	for _, shard := range placement.Shards(w.topology, datacenter) {
		if len(written[shard]) != 1 {
			return false
		}
	}
	return true
}

// unserved tells all that is known of the shards that nobody writes.
func (w *world) unserved(datacenter string) string {
	b := &strings.Builder{}
	written := w.kafka[datacenter].writers(time.Now().Add(-3 * writeEvery))
	for _, shard := range placement.Shards(w.topology, datacenter) {
		if len(written[shard]) == 1 {
			continue
		}
		fmt.Fprintf(b, "%s is written by %v", shard, written[shard])
		for _, name := range w.up(datacenter) {
			n := w.nodes[name]
			held := slices.ContainsFunc(n.Held(), func(h placement.Held) bool { return h.Shard == shard })
			view := n.runner.View()[shard.Destination]
			leader, _ := n.store.Leader()
			fmt.Fprintf(b, "; %s (led by %s) holds it: %t, assigned %+v, finds %+v, read %v ago", name, leader, held,
				n.Assignment().Shards[shard], view.Holders[shard], time.Since(view.ReadAt))
		}
		fmt.Fprintln(b)
	}
	return b.String()
}

// writers returns how many shards each node of a datacenter writes.
func (w *world) writers(datacenter string) map[string]int {
	counts := map[string]int{}
	for _, by := range w.kafka[datacenter].writers(time.Now().Add(-3 * writeEvery)) {
		for node := range by {
			counts[node]++
		}
	}
	return counts
}

// calm waits until all shards are written, evenly, and raft agrees with it.
func (w *world) calm(t *testing.T, datacenter string) {
	t.Helper()
	up := w.up(datacenter)
	await(t, time.Minute, "evenly written by "+strings.Join(up, " "), func() bool {
		counts := w.writers(datacenter)
		for _, name := range up {
			if counts[name] < topology.Shards/len(up)*3/4 {
				return false
			}
		}
		return w.served(datacenter) && len(counts) == len(up) && w.agreed(datacenter)
	})
}

// agreed says whether the nodes' raft says what is written.
func (w *world) agreed(datacenter string) bool {
	written := w.kafka[datacenter].writers(time.Now().Add(-3 * writeEvery))
	for _, name := range w.up(datacenter) {
		for shard, owner := range w.nodes[name].Assignment().Shards {
			if !written[shard][owner.Node] {
				return false
			}
		}
	}
	return true
}

func (w *world) leader(datacenter string) string {
	for _, name := range w.up(datacenter) {
		if w.nodes[name].store.IsLeader() {
			return name
		}
	}
	return ""
}

func (n *testNode) sees(other string) gossip.State {
	for _, s := range n.Nodes() {
		if s.Name == other {
			return s.State
		}
	}
	return gossip.Unknown
}

func others(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
}

func sum(counts map[string]int) (n int) {
	for c := range maps.Values(counts) {
		n += c
	}
	return n
}
