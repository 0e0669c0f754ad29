package demo

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meshd/meshd/checkpoint/groupsync"
	"github.com/meshd/meshd/datapath"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/embedded"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/mesh"
	"github.com/meshd/meshd/mesh/liveness"
	"github.com/meshd/meshd/topology"
)

// nodes are the nodes of meshd, each as in a process of its own but for the memory: own clients, own disk, own ports.
type nodes struct {
	topo     *topology.Topology
	clusters *embedded.Clusters
	log      *slog.Logger
	disk     string
	dying    sync.WaitGroup

	mu sync.Mutex
	by map[string]*node
}

type node struct {
	runner   *datapath.Runner
	liveness *liveness.Liveness
	mesh     *mesh.Node
	dead     bool
	ended    chan struct{} // closed when nothing of it runs any more
}

// view is what a node says of itself.
type view struct {
	node   string
	flow   flow.Status
	groups []groupsync.Status
}

func newNodes(t *topology.Topology, c *embedded.Clusters, log *slog.Logger) (*nodes, error) {
	disk, err := os.MkdirTemp("", "meshd-demo-")
	if err != nil {
		return nil, fmt.Errorf("making a directory for the nodes: %w", err)
	}
	return &nodes{topo: t, clusters: c, log: log, disk: disk, by: map[string]*node{}}, nil
}

// clientID is what brokers know a node by.
func clientID(name string) string { return "meshd/" + name }

// start begins a node, or begins it again with what it has on disk.
func (ns *nodes) start(name string) error {
	ns.mu.Lock()
	was := ns.by[name]
	ns.mu.Unlock()
	if was != nil {
		<-was.ended // in one process the dead must be gone before they come back
		ns.clusters.Revive(clientID(name))
	}
	n, err := ns.open(name)
	if err != nil {
		return fmt.Errorf("starting node %s: %w", name, err)
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.by[name] = n
	return nil
}

func (ns *nodes) open(name string) (*node, error) {
	log := ns.log.With(slog.String("node", name))
	dialer := &kafka.Dialer{Datacenter: ns.topo.Nodes[name].Datacenter, ClientID: clientID(name), Embedded: ns.clusters.Addresses}
	n := &node{
		runner:   datapath.New(flow.Config{Node: name, Log: log, Observer: nobody{}, Dialer: dialer}),
		liveness: liveness.New(dialer, log), ended: make(chan struct{}),
	}
	n.liveness.Follow(ns.topo)
	var err error
	n.mesh, err = mesh.Start(mesh.Config{
		Node: name, DataDir: filepath.Join(ns.disk, name), Topology: ns.topo, Build: "demo", Runner: runner{n.runner, n.liveness},
		Liveness: n.liveness, Log: log, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		n.liveness.Close()
		n.runner.Close()
		return nil, err
	}
	return n, nil
}

// runner lets the mesh drive the data path.
type runner struct {
	*datapath.Runner
	liveness *liveness.Liveness
}

// Apply implements mesh.Runner.
func (r runner) Apply(d mesh.Desired) error {
	r.liveness.Follow(d.Topology)
	held := make([]flow.Held, 0, len(d.Held))
	for _, h := range d.Held {
		held = append(held, flow.Held{Shard: h.Shard, Epoch: h.Epoch, Over: h.Over})
	}
	return r.Runner.Apply(d.Topology, held)
}

// kill ends a node from one moment to the next: brokers lose its connections, other nodes hear no more of it, and it hands
// nothing over.
func (ns *nodes) kill(name string) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	n := ns.by[name]
	n.dead = true
	ns.clusters.Kill(clientID(name)) // whatever it still does reaches nobody
	ns.dying.Go(func() { ns.end(name, n) })
}

func (ns *nodes) end(name string, n *node) {
	defer close(n.ended)
	if err := n.mesh.Close(); err != nil {
		ns.log.Error("ending a node", slog.String("node", name), slog.Any("error", err))
	}
	n.runner.Close()
	n.liveness.Close()
}

// views are what the nodes that live say.
func (ns *nodes) views() (vs []view) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	for _, name := range sorted(ns.by) {
		if n := ns.by[name]; !n.dead {
			vs = append(vs, view{node: name, flow: n.runner.Manager.Status(), groups: n.runner.Groups()})
		}
	}
	return vs
}

// close ends all nodes at once, and waits for what was killed.
func (ns *nodes) close() error {
	ns.mu.Lock()
	for name, n := range ns.by {
		if !n.dead {
			ns.dying.Go(func() { ns.end(name, n) })
		}
	}
	clear(ns.by)
	ns.mu.Unlock()
	ns.dying.Wait()
	return errors.Join(os.RemoveAll(ns.disk))
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// nobody listens to what the data path tells.
type nobody struct{}

func (nobody) Arrived(topology.Shard, flow.Spec, time.Duration) {}
func (nobody) TookOver(topology.Shard)                          {}
func (nobody) Switched(topology.Pair, string, loop.Reason)      {}
