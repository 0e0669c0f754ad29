package mesh

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meshd/meshd/mesh/gossip"
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/raftstore"
	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

const (
	patience     = 5 * time.Second  // how long a new leader waits for Kafka to tell who holds what
	settle       = 5 * time.Second  // how long the members stay the same before shards move for balance
	balanceEvery = 30 * time.Second // how often they do
	proposeLimit = 3 * time.Second
)

// controller does what the leader of a datacenter does.
type controller struct {
	n *Node

	since    time.Time // leader since; zero: it is not
	members  string    // who was alive when it last looked
	changed  time.Time // when that changed
	balanced time.Time // when shards last moved for balance
}

// step looks once, and proposes what is not as it should be.
func (c *controller) step(ctx context.Context, now time.Time) {
	if !c.n.store.IsLeader() {
		c.since = time.Time{}
		c.n.metrics.unowned.Set(0)
		return
	}
	if c.since.IsZero() {
		c.n.log.Info("leading", slog.String("datacenter", c.n.datacenter))
		*c = controller{n: c.n, since: now, changed: now}
	}
	ctx, cancel := context.WithTimeout(ctx, proposeLimit)
	defer cancel()
	for _, do := range []func(context.Context, time.Time) error{c.topology, c.assign, c.voters} {
		if err := do(ctx, now); err != nil {
			if !errors.Is(err, raftstore.ErrNotLeader) && ctx.Err() == nil {
				c.n.log.Warn("leading", slog.Any("error", err))
			}
			return
		}
	}
}

// voters makes raft's voters the nodes that the topology lists. One that is not alive is not added: a single node that made an absent
// one its second voter would have lost its quorum. And one is not removed while it writes: it has to hear by raft that others are to.
func (c *controller) voters(_ context.Context, now time.Time) error {
	have, err := c.n.store.Voters()
	if err != nil {
		return err
	}
	listed := voters(c.n.keeper.get().topology, c.n.datacenter)
	alive, busy := c.n.alive(), c.busy(now)
	want := slices.DeleteFunc(slices.Clone(listed), func(v raftstore.Voter) bool { return !alive[v.Node] && !voted(have, v.Node) })
	for _, v := range have {
		if !voted(listed, v.Node) && busy[v.Node] {
			want = append(want, v)
		}
	}
	if len(want) == 0 {
		return nil // the datacenter has no nodes any more; whoever stops the last one ends it
	}
	changed, err := c.n.store.SetVoters(want)
	if changed > 0 {
		c.n.log.Info("raft's voters changed", slog.Int("changes", changed), slog.Any("voters", want))
	}
	return err
}

func voted(voters []raftstore.Voter, node string) bool {
	return slices.ContainsFunc(voters, func(v raftstore.Voter) bool { return v.Node == node })
}

// busy returns the nodes that made progress lately with a shard that they have not let go of.
func (c *controller) busy(now time.Time) map[string]bool {
	busy := map[string]bool{}
	for _, kafka := range c.n.cfg.Liveness.View() {
		for _, h := range kafka.Holders {
			if !h.Released && now.Sub(h.Moved) < placement.Default.Still {
				busy[h.Node] = true
			}
		}
	}
	return busy
}

func voters(t *topology.Topology, datacenter string) []raftstore.Voter {
	var voters []raftstore.Voter
	for _, name := range placement.Nodes(t, datacenter) {
		voters = append(voters, raftstore.Voter{Node: name, Address: t.Nodes[name].Raft})
	}
	return voters
}

// topology has the datacenter agree on the topology that this node runs by.
func (c *controller) topology(ctx context.Context, _ time.Time) error {
	t := state.NewTopology(c.n.keeper.get().topology)
	if s, _ := c.n.store.State(); !t.Above(s.Topology) {
		return nil
	}
	result, _, err := c.n.store.Propose(ctx, state.Command{Accept: &state.Accept{Topology: t, Heard: true}})
	return errors.Join(err, result.Err())
}

func (c *controller) assign(ctx context.Context, now time.Time) error {
	v := c.view(now)
	c.n.metrics.unowned.Set(float64(unowned(v)))
	a, ok := placement.Default.Lead(v, now)
	if !ok {
		return nil
	}
	result, index, err := c.n.store.Propose(ctx, state.Command{Assign: &a})
	if err = errors.Join(err, result.Err()); err != nil {
		return err // refused as stale: it is made anew at the next look
	}
	if v.Balance {
		c.balanced = now
	}
	c.n.log.Info("assigned", slog.Uint64("epoch", result.Epoch), slog.Int("shards", len(a.Owners)), slog.Int("moved", moved(v.Assignment, a)))
	return c.n.store.WaitIndex(ctx, index)
}

func moved(before state.Assignment, a state.Assign) (n int) {
	for _, o := range a.Owners {
		if before.Shards[o.Shard].Node != o.Node {
			n++
		}
	}
	return n
}

// unowned counts the shards that nobody alive is assigned.
func unowned(v placement.LeaderView) (n int) {
	for _, shard := range v.Shards {
		if !v.Alive[v.Assignment.Shards[shard].Node] {
			n++
		}
	}
	return n
}

func (c *controller) view(now time.Time) placement.LeaderView {
	t := c.n.keeper.get().topology
	s, _ := c.n.store.State()
	v := placement.LeaderView{
		Assignment: s.Assignment, Shards: placement.Shards(t, c.n.datacenter), Nodes: placement.Nodes(t, c.n.datacenter),
		Alive: c.n.alive(), Dead: map[string]time.Time{}, Leaving: map[string]bool{c.n.cfg.Node: c.n.leaving.Load()},
		Load: c.n.gossip.Loads(), Kafka: c.n.cfg.Liveness.View(), Impatient: now.Sub(c.since) >= patience,
	}
	for _, m := range c.n.gossip.Members() {
		v.Leaving[m.Name] = m.Meta.Leaving
		if m.State == gossip.Dead {
			v.Dead[m.Name] = m.Since
		}
		if !c.n.store.InTouch(m.Name) { // alive, but deaf: what it has it keeps, and it would not hear of more
			delete(v.Alive, m.Name)
		}
	}
	maps.Copy(v.Load, c.n.cfg.Runner.Load())
	v.Balance = c.balance(v, now)
	return v
}

// balance says whether shards may move between living nodes: not before the members have stayed the same for a while, and then once in a
// longer while.
func (c *controller) balance(v placement.LeaderView, now time.Time) bool {
	var members []string
	for _, n := range v.Nodes {
		if v.Alive[n] && !v.Leaving[n] {
			members = append(members, n)
		}
	}
	if is := strings.Join(members, " "); is != c.members {
		c.members, c.changed, c.balanced = is, now, time.Time{}
	}
	return now.Sub(c.changed) >= settle && now.Sub(c.balanced) >= balanceEvery
}

// alive returns the nodes of the datacenter that are alive, this one among them.
func (n *Node) alive() map[string]bool {
	alive := map[string]bool{n.cfg.Node: true}
	for _, m := range n.gossip.Members() {
		if m.Datacenter == n.datacenter && m.State == gossip.Alive {
			alive[m.Name] = true
		}
	}
	return alive
}
