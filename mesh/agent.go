package mesh

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshd/meshd/mesh/gossip"
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

// lookEvery is how often agent and controller look though nothing was signalled: waiting times run out without a signal.
const lookEvery = 200 * time.Millisecond

// retryApply is how long the agent waits when the runner could not do all it was told.
const retryApply = 2 * time.Second

// agent runs what this node is to run.
type agent struct {
	n     *Node
	count atomic.Int64 // of shards held

	mu      sync.Mutex
	running map[topology.Shard]placement.Held // as decided
	desired Desired
	told    int    // decisions
	done    int    // decisions that the runner has carried out
	changed signal // desired changed
	settled chan struct{}
}

func newAgent(n *Node) *agent {
	return &agent{n: n, changed: newSignal(), settled: make(chan struct{})}
}

// decide looks once.
func (a *agent) decide(now time.Time) {
	t := a.n.keeper.get().topology
	s, _ := a.n.store.State()
	view := a.n.view(t, s.Assignment)
	a.mu.Lock()
	defer a.mu.Unlock()
	view.Running = a.running
	held := placement.Default.Decide(view, now)
	next := Desired{Topology: t, Held: held, Paused: s.Pauses}
	running := make(map[topology.Shard]placement.Held, len(held))
	for _, h := range held {
		running[h.Shard] = h
	}
	a.log(view, running)
	a.running = running
	a.count.Store(int64(len(running)))
	if a.told > 0 && same(a.desired, next) {
		return
	}
	a.desired = next
	a.told++
	a.changed.set()
}

// log says what this node takes over without having been told to, and counts it.
func (a *agent) log(view placement.View, running map[topology.Shard]placement.Held) {
	from := map[string]int{}
	for shard, h := range running {
		if _, had := a.running[shard]; !had && view.Assigned[shard].Node != view.Self {
			if before, ok := view.Kafka[shard.Destination].Holders[shard]; ok && before.Node != view.Self && before.Seq == h.Over {
				from[before.Node]++
			}
		}
	}
	for node, n := range from {
		a.n.metrics.takeovers.Add(float64(n))
		a.n.log.Warn("taking over without a leader", slog.String("from", node), slog.Int("shards", n))
	}
	if len(running) != len(a.running) {
		a.n.log.Info("shards held", slog.Int("now", len(running)), slog.Int("before", len(a.running)))
		a.n.look.say.set()
	}
}

// same says whether the runner would be told the same again.
func same(a, b Desired) bool {
	if a.Topology != b.Topology || len(a.Paused) != len(b.Paused) {
		return false
	}
	for p := range a.Paused {
		if !b.Paused[p] {
			return false
		}
	}
	return slices.Equal(a.Held, b.Held)
}

// apply tells the runner, again and again until ctx ends. It has its own goroutine: the runner may take long to drain.
func (a *agent) apply(ctx context.Context) {
	var retry <-chan time.Time
	for {
		select {
		case <-a.changed:
		case <-retry:
		case <-ctx.Done():
			return
		}
		a.mu.Lock()
		desired, told := a.desired, a.told
		a.mu.Unlock()
		retry = nil
		if err := a.n.cfg.Runner.Apply(desired); err != nil {
			a.n.log.Error("running what is held", slog.Any("error", err))
			retry = time.After(retryApply)
		}
		a.mu.Lock()
		a.done = told
		close(a.settled)
		a.settled = make(chan struct{})
		a.mu.Unlock()
	}
}

// empty waits until the node holds nothing, and the runner has done with it.
func (a *agent) empty(ctx context.Context) error {
	for {
		a.mu.Lock()
		empty, settled := len(a.running) == 0 && a.done == a.told, a.settled
		a.mu.Unlock()
		if empty {
			return nil
		}
		select {
		case <-settled:
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// view is what this node knows, what runs apart.
func (n *Node) view(t *topology.Topology, a state.Assignment) placement.View {
	leader, _ := n.store.Leader()
	v := placement.View{
		Self: n.cfg.Node, Nodes: placement.Nodes(t, n.datacenter), Shards: placement.Shards(t, n.datacenter), Assigned: a.Shards,
		Leader: leader != "", Draining: n.leaving.Load(), Dead: map[string]bool{}, Kafka: n.cfg.Liveness.View(),
	}
	heirs, led := false, false
	for _, m := range n.gossip.Members() {
		v.Dead[m.Name] = m.State == gossip.Dead
		if m.Datacenter == n.datacenter && m.State == gossip.Alive {
			heirs = heirs || !m.Meta.Leaving
			led = led || m.Meta.Leader
		}
	}
	if v.Draining {
		v.Leader = v.Leader && heirs // without an heir the leader has nobody to give anything to
	} else {
		v.Leader = v.Leader || led // raft may not reach this node; what has to be taken over others are told to
	}
	return v
}
