package main

import (
	"context"
	"errors"
	"slices"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/checkpoint/groupsync"
	"github.com/meshd/meshd/datapath"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/mesh"
	"github.com/meshd/meshd/mesh/gossip"
	"github.com/meshd/meshd/mesh/liveness"
	"github.com/meshd/meshd/offsetxlate"
)

// groupsAdapter shows the group syncers of a node to the admin API.
type groupsAdapter struct{ *datapath.Runner }

// Groups implements admin.Groups.
func (a groupsAdapter) Groups() []admin.GroupsAt {
	var out []admin.GroupsAt
	for _, s := range a.Runner.Groups() {
		at := admin.GroupsAt{Home: s.Home, SyncedAt: s.At, Error: s.Error}
		for _, g := range s.Groups {
			at.Groups = append(at.Groups, groupStatus(g))
		}
		out = append(out, at)
	}
	return out
}

func groupStatus(g groupsync.GroupStatus) admin.GroupStatus {
	out := admin.GroupStatus{
		Group: g.Group, Why: g.Why, Hint: g.Hint, Active: g.Active, Chain: g.Chain, Rereads: g.Reread,
	}
	for _, p := range g.Partitions {
		out.Partitions = append(out.Partitions, admin.GroupPartition{
			Topic: p.Topic, Partition: p.Partition, Source: p.Consumed, Offset: known(p.Offset, p.How != ""), Exact: p.Exact,
			Rereads: p.Reread, How: p.How, Why: offsetxlate.Reason(p.Why), Cluster: p.Cluster,
		})
	}
	return out
}

func known(v int64, ok bool) *int64 {
	if !ok {
		return nil
	}
	return &v
}

// translatorAdapter answers questions about single places by reading both clusters.
type translatorAdapter struct{ *datapath.Runner }

// Translate implements admin.Translator.
func (a translatorAdapter) Translate(ctx context.Context, req admin.TranslateRequest) (out []admin.Translation, err error) {
	err = a.Runner.Translate(ctx, req.From, req.To, func(t *groupsync.Translator) error {
		var found []groupsync.Translation
		if req.Point != nil {
			found = []groupsync.Translation{t.Point(groupsync.Point(*req.Point))}
		} else {
			var err error
			if found, err = t.Group(ctx, req.Group); err != nil {
				return err
			}
		}
		for _, x := range found {
			out = append(out, translation(x))
		}
		return nil
	})
	if errors.Is(err, groupsync.ErrUnknown) {
		err = errors.Join(admin.ErrUnknown, err)
	}
	return out, err
}

func translation(x groupsync.Translation) admin.Translation {
	return admin.Translation{
		Topic: x.From.Topic, Partition: x.From.Partition, Offset: x.From.Offset, ToTopic: x.To.Topic,
		ToOffset: known(x.To.Offset, x.Reason == nil), Exact: x.Exact, Rereads: x.Reread, How: x.How, Reason: x.Reason,
	}
}

// runnerAdapter runs what the mesh gives to this node.
type runnerAdapter struct {
	*datapath.Runner
	liveness *liveness.Liveness
}

// Apply implements mesh.Runner.
func (a runnerAdapter) Apply(d mesh.Desired) error {
	a.liveness.Follow(d.Topology)
	held := make([]flow.Held, 0, len(d.Held))
	for _, h := range d.Held {
		held = append(held, flow.Held{Shard: h.Shard, Epoch: h.Epoch, Over: h.Over})
	}
	return a.Runner.Apply(d.Topology, held)
}

// meshAdapter shows the mesh to the admin API.
type meshAdapter struct{ *mesh.Node }

// Topology implements admin.Topologies.
func (a meshAdapter) Topology() admin.TopologyStatus {
	s := a.Node.Topology()
	out := admin.TopologyStatus{Current: s.Current, Accepted: s.Accepted}
	for _, o := range s.Offers {
		out.Offered = append(out.Offered, admin.Offer{Stamp: o.Stamp, From: o.From, Why: o.Why, Hint: o.Hint})
	}
	return out
}

// Nodes implements admin.Nodes. All listed nodes of a datacenter vote.
func (a meshAdapter) Nodes() []admin.NodeStatus {
	nodes := a.Node.Nodes()
	out := make([]admin.NodeStatus, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, admin.NodeStatus{
			Name: n.Name, Datacenter: n.Datacenter, Alive: n.State == gossip.Alive, Leader: n.Leader, Voter: true, Topology: n.Meta.Topology,
			Gossip: n.Gossip, Raft: n.Raft, Admin: n.Admin, Shards: n.Meta.Shards, Build: n.Meta.Build,
		})
	}
	return out
}

// flowsAdapter shows the data path, and the clusters that can't be reached before anything is copied there.
type flowsAdapter struct {
	*flow.Manager
	liveness *liveness.Liveness
}

// Status implements admin.Flows.
func (a flowsAdapter) Status() flow.Status {
	s := a.Manager.Status()
	for alias, err := range a.liveness.Troubles() {
		at := slices.IndexFunc(s.Clusters, func(c flow.ClusterStatus) bool { return c.Alias == alias })
		if at < 0 {
			at = len(s.Clusters)
			s.Clusters = append(s.Clusters, flow.ClusterStatus{Alias: alias})
		}
		if s.Clusters[at].Error == "" {
			s.Clusters[at].Because(err)
		}
	}
	return s
}
