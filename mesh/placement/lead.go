package placement

import (
	"maps"
	"slices"
	"time"

	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

// LeaderView is what the leader of a datacenter knows when it assigns.
type LeaderView struct {
	Assignment state.Assignment
	Shards     []topology.Shard           // all that end in the datacenter
	Nodes      []string                   // all that the topology lists in the datacenter
	Alive      map[string]bool            // gossip says so
	Dead       map[string]time.Time       // gossip says so, since then. A node in neither map was not heard of yet.
	Leaving    map[string]bool            // nodes that are about to stop
	Load       map[topology.Shard]float64 // bytes/s
	Kafka      map[topology.Alias]Kafka   // by destination
	Balance    bool                       // shards may move between living nodes for balance
	Impatient  bool                       // the leader has waited long enough for Kafka to tell who holds what
}

// Lead returns the assignment that the leader should propose, and false where the current one is right. It first proposes the holders
// that it finds in Kafka: nodes that took shards over while there was no leader. Only the next call, with those, moves anything.
func (r Rule) Lead(v LeaderView, now time.Time) (state.Assign, bool) {
	owners, found := v.found()
	if !found {
		owners = r.plan(v, owners, now)
	}
	if same(owners, v.Assignment.Shards) {
		return state.Assign{}, false
	}
	return v.command(owners), true
}

// found returns the assignment corrected by what Kafka says. A registration that was made by an epoch as high as the assignment's is
// the later fact of the two.
func (v LeaderView) found() (Assignment, bool) {
	owners, found := Assignment{}, false
	for _, shard := range v.Shards {
		assigned, ok := v.Assignment.Shards[shard]
		if ok {
			owners[shard] = assigned.Node
		}
		holder, registered := v.Kafka[shard.Destination].Holders[shard]
		if registered && holder.Node != assigned.Node && holder.Epoch >= assigned.Epoch {
			owners[shard], found = holder.Node, true
		}
	}
	return owners, found
}

// plan places the shards, those apart that are left where they are: with nodes that may yet be alive, and at clusters that the
// leader has not read.
func (r Rule) plan(v LeaderView, owners Assignment, now time.Time) Assignment {
	var members []string
	for _, n := range v.Nodes {
		if v.Alive[n] && !v.Leaving[n] {
			members = append(members, n)
		}
	}
	left := Assignment{}
	var free []topology.Shard
	for _, shard := range v.Shards {
		owner, owned := owners[shard]
		switch kafka := v.Kafka[shard.Destination]; {
		case kafka.Since.IsZero() && !v.Impatient, owned && r.doubtful(v, owner, now):
			if owned {
				left[shard] = owner
			}
		default:
			free = append(free, shard)
		}
	}
	place := Place
	if v.Balance {
		place = Plan
	}
	maps.Copy(left, place(free, members, v.Load, owners))
	return left
}

// doubtful says whether a node that gossip doesn't see may yet be alive or be back in a moment, so that what it has stays: it was not
// heard of yet, or a shard of it moved a moment ago. Whoever is dead for gossip long enough is gone whatever Kafka says.
func (r Rule) doubtful(v LeaderView, node string, now time.Time) bool {
	if v.Alive[node] || !slices.Contains(v.Nodes, node) {
		return false
	}
	since, dead := v.Dead[node]
	if !dead {
		return true
	}
	if now.Sub(since) >= 2*r.Still {
		return false
	}
	for _, kafka := range v.Kafka {
		for _, h := range kafka.Holders {
			if h.Node == node && !h.Released && now.Sub(h.Moved) < r.Still {
				return true
			}
		}
	}
	return false
}

func same(owners Assignment, assigned map[topology.Shard]state.Owner) bool {
	if len(owners) != len(assigned) {
		return false
	}
	for shard, node := range owners {
		if assigned[shard].Node != node {
			return false
		}
	}
	return true
}

func (v LeaderView) command(owners Assignment) state.Assign {
	a := state.Assign{Base: v.Assignment.Epoch}
	for _, kafka := range v.Kafka {
		a.Floor = max(a.Floor, kafka.Epoch())
	}
	for _, shard := range sorted(v.Shards) {
		if node, ok := owners[shard]; ok {
			a.Owners = append(a.Owners, state.ShardOwner{Shard: shard, Node: node})
		}
	}
	return a
}
