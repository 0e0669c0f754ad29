package admin

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

// MergeStatus makes one status of what several nodes say, each of its own shards. The order of the nodes does not matter.
func MergeStatus(all ...Status) Status {
	out := Status{Nodes: []NodeBrief{}, Problems: []Problem{}, Clusters: []flow.ClusterStatus{}}
	links, clusters := map[string]LinkStatus{}, map[string]flow.ClusterStatus{}
	for _, s := range all {
		if s.At.After(out.At) {
			out.At = s.At
		}
		out.Mesh = max(out.Mesh, s.Mesh)
		out.Nodes = append(out.Nodes, s.Nodes...)
		out.Problems = mergeProblems(out.Problems, s.Problems)
		for _, l := range s.Links {
			links[l.Link] = mergeLink(links[l.Link], l)
		}
		for _, c := range s.Clusters {
			if seen, ok := clusters[string(c.Alias)]; !ok || seen.Error < c.Error {
				clusters[string(c.Alias)] = c
			}
		}
	}
	slices.SortFunc(out.Nodes, func(a, b NodeBrief) int { return strings.Compare(a.Node, b.Node) })
	out.Problems = mergeProblems(out.Problems, apart(out.Nodes))
	sortProblems(out.Problems)
	out.Links = sorted(links)
	out.Clusters = sorted(clusters)
	return out
}

func sorted[T any](m map[string]T) []T {
	out := make([]T, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

// mergeProblems adds up what is the same problem. A partition and a shard have one owner each, so their counts add up; what several
// nodes see alike is told once.
func mergeProblems(a, b []Problem) []Problem {
	out := slices.Clone(a)
	for _, p := range b {
		i := slices.IndexFunc(out, func(q Problem) bool {
			return q.Where == p.Where && q.Code == p.Code && q.Of == p.Of && (q.Text == p.Text || p.owned())
		})
		if i < 0 {
			out = append(out, p)
			continue
		}
		q := &out[i]
		if cmp.Or(strings.Compare(p.Text, q.Text), strings.Compare(p.Hint, q.Hint)) < 0 {
			q.Text, q.Hint = p.Text, p.Hint
		}
		if q.Since == nil || p.Since != nil && p.Since.Before(*q.Since) {
			q.Since = p.Since
		}
		if p.owned() {
			q.Count += p.Count
		} else {
			q.Count = max(q.Count, p.Count)
		}
	}
	return out
}

func (p Problem) owned() bool { return p.Of == "partition" || p.Of == "shard" }

// mergeLink takes what a node holds nothing of from those that do.
func mergeLink(a, b LinkStatus) LinkStatus {
	switch {
	case a.Link == "" || a.away():
		return b
	case b.away():
		return a
	}
	a.State, a.Up, a.Ready = worse(a.State, b.State), a.Up && b.Up, a.Ready && b.Ready
	if b.Reason != nil && (a.Reason == nil || b.Reason.Error() < a.Reason.Error()) {
		a.Reason = b.Reason
	}
	a.Topics = max(a.Topics, b.Topics)
	a.Partitions, a.Moving = a.Partitions+b.Partitions, a.Moving+b.Moving
	a.ThrottledSeconds += b.ThrottledSeconds
	a.LagRecords, a.RPOSeconds, a.HopSeconds = plus(a.LagRecords, b.LagRecords), older(a.RPOSeconds, b.RPOSeconds), older(a.HopSeconds, b.HopSeconds)
	a.Via, a.Totals = both(a.Via, b.Via), a.Totals.plus(b.Totals)
	a.Shards = slices.Concat(a.Shards, b.Shards)
	slices.SortFunc(a.Shards, func(x, y flow.ShardStatus) int {
		return cmp.Or(cmp.Compare(x.Number, y.Number), cmp.Compare(x.Epoch, y.Epoch), cmp.Compare(x.Writer, y.Writer))
	})
	return a
}

func (l LinkStatus) away() bool { return l.State == Elsewhere || l.State == Paused }

// MergeFlows makes one list of what several nodes say.
func MergeFlows(all ...FlowsAnswer) FlowsAnswer {
	var out FlowsAnswer
	by := map[string]FlowStatus{}
	for _, a := range all {
		if a.At.After(out.At) {
			out.At = a.At
		}
		for _, f := range a.Flows {
			key := f.Link + "/" + f.Topic
			by[key] = mergeFlow(by[key], f)
		}
	}
	out.Flows = sorted(by)
	slices.SortFunc(out.Flows, compareFlows)
	return out
}

func mergeFlow(a, b FlowStatus) FlowStatus {
	if a.Topic == "" {
		return b
	}
	out := a
	out.State = worse(a.State, b.State)
	if b.Reason != nil && (a.Reason == nil || b.Reason.Error() < a.Reason.Error()) {
		out.Reason = b.Reason
	}
	out.Warnings = firsts(a.Warnings, b.Warnings)
	out.Partitions, out.Held = max(a.Partitions, b.Partitions), a.Held+b.Held
	switch {
	case a.Held == 0:
		out.LagRecords, out.LagSeconds = b.LagRecords, b.LagSeconds
	case b.Held > 0:
		out.LagRecords, out.LagSeconds = plus(a.LagRecords, b.LagRecords), older(a.LagSeconds, b.LagSeconds)
	}
	out.Totals = a.Totals.plus(b.Totals)
	out.From, out.FromWhy, out.FromSince = both(a.From, b.From), max(a.FromWhy, b.FromWhy), latest(a.FromSince, b.FromSince)
	out.Identity, out.Incarnation = a.Identity || b.Identity, max(a.Incarnation, b.Incarnation)
	out.BelowCut = max(a.BelowCut, b.BelowCut)
	out.Parts = slices.Concat(a.Parts, b.Parts)
	slices.SortFunc(out.Parts, func(x, y PartitionStatus) int {
		return cmp.Or(cmp.Compare(x.Partition, y.Partition), cmp.Compare(x.Shard, y.Shard), strings.Compare(string(x.State), string(y.State)))
	})
	return out
}

// both are all of two lists, once each and in the order of their names.
func both(a, b []topology.Alias) []topology.Alias {
	all := some(slices.Concat(a, b))
	slices.Sort(all)
	return slices.Compact(all)
}

func latest(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}

// MergeGroups makes one list of what several nodes say. Of two that both say something of a group at the same cluster, the one that
// synced it last counts.
func MergeGroups(all ...GroupsAnswer) GroupsAnswer {
	var out GroupsAnswer
	by := map[string]GroupStatus{}
	for _, a := range all {
		if a.At.After(out.At) {
			out.At = a.At
		}
		for _, g := range a.Groups {
			key := g.Group + "\x00" + string(g.Home)
			if seen, ok := by[key]; !ok || g.SyncedAt.After(seen.SyncedAt) {
				by[key] = g
			}
		}
	}
	out.Groups = sorted(by)
	slices.SortFunc(out.Groups, compareGroups)
	return out
}
