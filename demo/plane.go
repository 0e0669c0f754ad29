package demo

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meshd/meshd/checkpoint/groupsync"
	"github.com/meshd/meshd/datapath"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/embedded"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// plane runs the nodes of the mesh. Who of a datacenter's nodes does what is its business.
type plane interface {
	Start(node string) error // a node begins, or begins again
	Kill(node string)        // its process dies: it hands nothing over
	Views() []view           // of the nodes that live
	Close()
}

// view is what a node says of itself.
type view struct {
	node   string
	flow   flow.Status
	groups []groupsync.Status
}

// fixed is a plane without elections: the first node of a datacenter that lives does everything there, and the next one takes it
// over, with a higher epoch, as soon as it is dead.
type fixed struct {
	topo     *topology.Topology
	clusters *embedded.Clusters
	log      *slog.Logger
	dying    sync.WaitGroup

	mu    sync.Mutex
	nodes map[string]*member
	epoch uint64
}

type member struct {
	runner *datapath.Runner
	holds  bool
	ended  chan struct{} // closed when it was killed and nothing of it runs
}

func newFixed(t *topology.Topology, c *embedded.Clusters, log *slog.Logger) *fixed {
	return &fixed{topo: t, clusters: c, log: log, nodes: map[string]*member{}}
}

// clientID is what brokers know a node by.
func clientID(node string) string { return "meshd/" + node }

func (f *fixed) Start(node string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if was := f.nodes[node]; was != nil {
		<-was.ended // in one process the dead must be gone before they come back
		f.clusters.Revive(clientID(node))
	}
	f.nodes[node] = &member{runner: datapath.New(flow.Config{
		Node: node, Log: f.log.With(slog.String("node", node)), Observer: nobody{},
		Dialer: &kafka.Dialer{Datacenter: f.topo.Nodes[node].Datacenter, ClientID: clientID(node), Embedded: f.clusters.Addresses},
	})}
	return f.settle(f.topo.Nodes[node].Datacenter)
}

func (f *fixed) Kill(node string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.nodes[node]
	m.ended = make(chan struct{})
	f.clusters.Kill(clientID(node)) // from here on it can do nothing to anybody
	f.dying.Go(func() {
		m.runner.Close()
		close(m.ended)
	})
	if err := f.settle(f.topo.Nodes[node].Datacenter); err != nil {
		f.log.Error("taking over", slog.Any("error", err))
	}
}

// settle sees to it that a node of a datacenter holds its shards, if one lives.
func (f *fixed) settle(dc string) error {
	var heir *member
	for _, name := range sorted(f.nodes) {
		m := f.nodes[name]
		if f.topo.Nodes[name].Datacenter != dc || m.ended != nil {
			continue
		}
		if m.holds {
			return nil
		}
		if heir == nil {
			heir = m
		}
	}
	if heir == nil {
		return nil
	}
	f.epoch++
	heir.holds = true
	return heir.runner.Apply(f.topo, everything(f.topo, dc, f.epoch))
}

func everything(t *topology.Topology, dc string, epoch uint64) (held []flow.Held) {
	for p := range t.Pairs() {
		if t.Clusters[p.Destination].Datacenter != dc {
			continue
		}
		for n := range topology.Shards {
			held = append(held, flow.Held{Shard: topology.Shard{Origin: p.Source, Destination: p.Destination, Number: n}, Epoch: epoch})
		}
	}
	return held
}

func (f *fixed) Views() []view {
	f.mu.Lock()
	defer f.mu.Unlock()
	var vs []view
	for _, name := range sorted(f.nodes) {
		if m := f.nodes[name]; m.ended == nil {
			vs = append(vs, view{node: name, flow: m.runner.Manager.Status(), groups: m.runner.Groups()})
		}
	}
	return vs
}

// Close stops what lives, all at once, and waits for what was killed.
func (f *fixed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.nodes {
		if m.ended == nil {
			f.dying.Go(m.runner.Close)
		}
	}
	f.dying.Wait()
	clear(f.nodes)
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// nobody listens to what the data path tells.
type nobody struct{}

func (nobody) Arrived(topology.Shard, flow.Spec, time.Duration) {}
func (nobody) TookOver(topology.Shard)                          {}
