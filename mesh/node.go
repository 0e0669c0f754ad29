package mesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meshd/meshd/mesh/gossip"
	"github.com/meshd/meshd/raftstore"
	"github.com/meshd/meshd/topology"
)

// Config is what a Node needs.
type Config struct {
	Node       string             // its name in the topology
	DataDir    string             // its own
	SecretsDir string             // to which paths in the topology's security are relative
	Bind       string             // host to listen on; "": the topology's
	Topology   *topology.Topology // of the file that this node was started with
	Build      string             // what the node says of itself: its release
	Runner     Runner
	Liveness   Liveness
	Log        *slog.Logger
	Metrics    prometheus.Registerer

	// In the place of the network, for several nodes in one process; nil: UDP and TCP.
	GossipTransport memberlist.NodeAwareTransport
	RaftTransport   raft.Transport
}

// Node is a meshd process, the data path and the admin API apart.
type Node struct {
	cfg        Config
	log        *slog.Logger
	datacenter string
	self       topology.Node // addresses as the topology had them at the start
	leaving    atomic.Bool

	dir        *raftstore.Dir
	keeper     *keeper
	store      *raftstore.Store
	gossip     *gossip.Gossip
	metrics    *metrics
	agent      *agent
	controller *controller

	look   looks
	cancel context.CancelFunc
	loops  sync.WaitGroup
	close  sync.Once
	err    error
}

// looks wake the loops.
type looks struct{ agent, controller, say signal }

// Start brings the node up. It waits for no other node, and not for Kafka.
func Start(cfg Config) (*Node, error) {
	self, ok := cfg.Topology.Nodes[cfg.Node]
	if !ok {
		return nil, fmt.Errorf("the topology does not list a node %s", cfg.Node)
	}
	n := &Node{
		cfg: cfg, log: cfg.Log, datacenter: self.Datacenter, self: self, look: looks{newSignal(), newSignal(), newSignal()},
	}
	n.agent, n.controller = newAgent(n), &controller{n: n}
	if err := n.open(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	n.start()
	return n, nil
}

// open makes the parts, in the order in which they stand on each other.
func (n *Node) open() (err error) {
	// The directory first: a second node on it must not touch anything.
	id := raftstore.Identity{Mesh: n.cfg.Topology.Mesh, Datacenter: n.datacenter, Node: n.cfg.Node}
	if n.dir, err = raftstore.OpenDir(n.cfg.DataDir, id); err != nil {
		return err
	}
	// The topology says where and how to listen.
	if n.keeper, err = openKeeper(n.dir, n.cfg.Topology, n.log, func() { n.changed(); n.look.say.set() }); err != nil {
		return err
	}
	n.metrics = newMetrics(n.cfg.Metrics, n.keeper)
	if err := n.metrics.register(); err != nil {
		return err
	}
	t := n.keeper.get().topology
	if now, ok := t.Nodes[n.cfg.Node]; ok && now.Datacenter == n.datacenter {
		n.self = now
	}
	peerTLS, ring, err := secrets(t.Security, n.cfg.SecretsDir)
	if err != nil {
		return err
	}
	// Raft before gossip: gossip tells others of this node, and a leader that hears of it wants to reach it by raft.
	n.store, err = raftstore.Open(raftstore.Config{
		Dir: n.dir, Bind: n.bind(n.self.Raft), Advertise: n.self.Raft, TLS: peerTLS, Voters: voters(t, n.datacenter),
		Log: n.log, Metrics: n.cfg.Metrics, Transport: n.cfg.RaftTransport,
	})
	if err != nil {
		return err
	}
	n.gossip, err = gossip.Start(gossip.Config{
		Node: n.cfg.Node, Datacenter: n.datacenter, Mesh: t.Mesh, Bind: n.bind(n.self.Gossip), Advertise: n.self.Gossip,
		Keyring: ring, Log: n.log, Metrics: n.cfg.Metrics, Transport: n.cfg.GossipTransport,
	}, host{n})
	return err
}

// start begins the loops, which use all of the above.
func (n *Node) start() {
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	n.loops.Go(func() { n.agent.apply(ctx) })
	n.loops.Go(func() { n.loop(ctx, n.look.agent, n.agent.decide) })
	n.loops.Go(func() { n.loop(ctx, n.look.controller, func(now time.Time) { n.controller.step(ctx, now) }) })
	n.loops.Go(func() { n.listen(ctx) })
}

// loop calls step when something changed, and a few times a second.
func (n *Node) loop(ctx context.Context, woken signal, step func(time.Time)) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		step(time.Now())
		select {
		case <-woken:
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// listen wakes the loops, takes up the topology that raft agreed on, and has gossip tell the others what changed here.
func (n *Node) listen(ctx context.Context) {
	raftChanged, stopRaft := n.store.Watch()
	defer stopRaft()
	gossipChanged, stopGossip := n.gossip.Watch()
	defer stopGossip()
	kafkaChanged, stopKafka := n.cfg.Liveness.Watch()
	defer stopKafka()
	var told gossip.Meta
	for {
		if s, _ := n.store.State(); s.Topology.Hash != "" {
			n.keeper.hear("raft", s.Topology.Encoded)
		}
		if meta := (host{n}).Meta(); meta != told {
			told = meta
			n.gossip.Update()
		}
		n.changed()
		select {
		case <-raftChanged:
		case <-gossipChanged:
		case <-kafkaChanged:
		case <-n.look.say:
		case <-ctx.Done():
			return
		}
	}
}

// changed wakes the loops that decide.
func (n *Node) changed() {
	n.look.agent.set()
	n.look.controller.set()
}

// bind returns where to listen for what others reach at an address.
func (n *Node) bind(address string) string {
	host := n.cfg.Bind
	if host == "" {
		host = n.self.Bind
	}
	if _, port, err := net.SplitHostPort(address); err == nil && host != "" {
		return net.JoinHostPort(host, port)
	}
	return address
}

// Leave hands over everything that this node writes, as far as there is somebody to take it, and then tells the others that it goes. It
// returns when that is done or ctx ends; Close is to follow either way.
func (n *Node) Leave(ctx context.Context) error {
	n.leaving.Store(true)
	n.look.say.set()
	err := n.agent.empty(ctx)
	if err != nil {
		err = fmt.Errorf("handing over: %w", err)
	}
	if down := n.store.StepDown(); down != nil {
		n.log.Debug("leaving", slog.Any("error", down)) // the others elect one by themselves
	}
	n.gossip.Leave()
	return err
}

// Close stops the node's part in the mesh. It does not stop the runner, which goes on with what it was last told.
func (n *Node) Close() error {
	n.close.Do(func() {
		if n.cancel != nil { // the loops first: they use everything else
			n.cancel()
			n.loops.Wait()
		}
		if n.gossip != nil { // then nobody is led here any more
			n.err = errors.Join(n.err, n.gossip.Close())
		}
		if n.store != nil {
			n.err = errors.Join(n.err, n.store.Close())
		}
		if n.metrics != nil {
			n.metrics.unregister()
		}
		if n.dir != nil { // last: now another process may have it
			n.err = errors.Join(n.err, n.dir.Close())
		}
	})
	return n.err
}

// host is what gossip asks of the node.
type host struct{ n *Node }

// Peers implements gossip.Host.
func (h host) Peers() map[string]gossip.Peer { return h.n.keeper.get().peers }

// Meta implements gossip.Host.
func (h host) Meta() gossip.Meta {
	return gossip.Meta{
		Datacenter: h.n.datacenter, Topology: h.n.keeper.get().topology.Stamp(),
		Leaving: h.n.leaving.Load(), Leader: h.n.store.IsLeader(), Shards: int(h.n.agent.count.Load()),
		Raft: h.n.self.Raft, Admin: h.n.self.Admin, Build: h.n.cfg.Build,
	}
}

// Topology implements gossip.Host.
func (h host) Topology() []byte { return h.n.keeper.get().encoded }

// Hear implements gossip.Host.
func (h host) Hear(from string, encoded []byte) { h.n.keeper.hear(from, encoded) }

// Load implements gossip.Host.
func (h host) Load() map[topology.Shard]float64 { return h.n.cfg.Runner.Load() }
