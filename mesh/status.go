package mesh

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/meshd/meshd/mesh/gossip"
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

// NodeStatus is a node of the mesh as this one knows it.
type NodeStatus struct {
	topology.Node
	State  gossip.State
	Since  time.Time // of the state; zero for this node
	Leader bool      // of its datacenter
	Meta   gossip.Meta
}

// Nodes returns all listed nodes, this one among them, in the order of their names.
func (n *Node) Nodes() []NodeStatus {
	t := n.keeper.get().topology
	own := host{n}.Meta()
	out := []NodeStatus{{Node: n.self, State: gossip.Alive, Leader: own.Leader, Meta: own}}
	for _, m := range n.gossip.Members() {
		out = append(out, NodeStatus{
			Node: t.Nodes[m.Name], State: m.State, Since: m.Since, Leader: m.State == gossip.Alive && m.Meta.Leader, Meta: m.Meta,
		})
	}
	slices.SortFunc(out, func(a, b NodeStatus) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// TopologyStatus is which topology runs here, and what else there is.
type TopologyStatus struct {
	Current  *topology.Topology
	Accepted topology.Stamp // by the datacenter, as far as this node knows
	Offers   []Offer        // not taken, the highest first
}

// Topology returns which topology runs here.
func (n *Node) Topology() TopologyStatus {
	s, _ := n.store.State()
	return TopologyStatus{Current: n.keeper.get().topology, Accepted: s.Topology.Stamp, Offers: n.keeper.reported()}
}

// Offer takes up a topology from a person, in a file or over the admin API. It must be newer than what runs here; the others hear of it
// by gossip.
func (n *Node) Offer(t *topology.Topology, from string) error { return n.keeper.offer(t, from) }

// Held returns the shards that this node is to run, in order.
func (n *Node) Held() []placement.Held {
	n.agent.mu.Lock()
	defer n.agent.mu.Unlock()
	return slices.Clone(n.agent.desired.Held)
}

// Assignment returns who should write which shard of the datacenter, as far as this node knows.
func (n *Node) Assignment() state.Assignment {
	s, _ := n.store.State()
	return s.Assignment
}

// Pause pauses or resumes a link or a topic in this datacenter. Only the leader can; a raftstore.NotLeaderError names it.
func (n *Node) Pause(ctx context.Context, p state.SetPause) error {
	result, _, err := n.store.Propose(ctx, state.Command{Pause: &p})
	if err != nil {
		return err
	}
	return result.Err()
}
