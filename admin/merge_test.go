package admin_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

func maybe[T any](t *rapid.T, v T) *T {
	if rapid.Bool().Draw(t, "unknown") {
		return nil
	}
	return &v
}

func reasonOf(t *rapid.T) *kafka.Reason {
	return maybe(t, kafka.Because(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "code"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "text"), ""))
}

var states = []flow.State{flow.Streaming, flow.CatchingUp, flow.Opening, flow.Failed, admin.Elsewhere}

// statuses are what three nodes might say of the same mesh.
func statuses(t *rapid.T) (out []admin.Status) {
	for i, name := range []string{"eu-1", "eu-2", "us-1"} {
		s := admin.Status{
			At: time.Unix(int64(i), 0), Mesh: "retail",
			Nodes: []admin.NodeBrief{{Node: name, Topology: topology.Stamp{Version: int64(rapid.IntRange(1, 2).Draw(t, "version"))}}},
		}
		for range rapid.IntRange(0, 3).Draw(t, "problems") {
			s.Problems = append(s.Problems, admin.Problem{
				Level: admin.LevelError, Where: rapid.SampledFrom([]string{"p", "q"}).Draw(t, "where"), Code: "c", Count: rapid.IntRange(1, 3).Draw(t, "count"),
				Of: rapid.SampledFrom([]string{"partition", "topic"}).Draw(t, "of"), Text: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "text"),
			})
		}
		l := admin.LinkStatus{Link: "us->eu", Name: "retail", State: rapid.SampledFrom(states).Draw(t, "state"), Shards: []flow.ShardStatus{}}
		if l.State != admin.Elsewhere {
			l.Up, l.Ready, l.Reason = rapid.Bool().Draw(t, "up"), rapid.Bool().Draw(t, "ready"), reasonOf(t)
			l.Partitions, l.LagRecords, l.RPOSeconds = i+1, maybe(t, int64(i)), maybe(t, float64(i))
			l.Shards = append(l.Shards, flow.ShardStatus{Number: rapid.IntRange(0, 2).Draw(t, "shard"), Epoch: uint64(i)})
		}
		s.Links = append(s.Links, l)
		s.Clusters = append(s.Clusters, flow.ClusterStatus{Alias: "us", ID: "1", Error: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "error")})
		out = append(out, s)
	}
	return out
}

func TestMergingStatusesHasNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := statuses(t)
		want := admin.MergeStatus(all...)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if diff := cmp.Diff(want, admin.MergeStatus(all...)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestMergingFlowsHasNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []admin.FlowsAnswer
		for i := range 3 {
			f := admin.FlowStatus{Link: "us->eu", Topic: "orders", State: rapid.SampledFrom(states).Draw(t, "state"), Reason: reasonOf(t), Partitions: 3}
			if f.State != admin.Elsewhere {
				f.Held, f.LagRecords, f.LagSeconds = 1, maybe(t, int64(i)), maybe(t, float64(i))
				f.Parts = []admin.PartitionStatus{{Partition: int32(i)}}
			}
			f.Totals.Records = int64(i)
			all = append(all, admin.FlowsAnswer{At: time.Unix(int64(i), 0), Flows: []admin.FlowStatus{f}})
		}
		want := admin.MergeFlows(all...)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if diff := cmp.Diff(want, admin.MergeFlows(all...)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestMergedGroupsAreTheLatest(t *testing.T) {
	say := func(at int64, why string) admin.GroupsAnswer {
		return admin.GroupsAnswer{Groups: []admin.GroupStatus{
			{Group: "billing", Home: "eu", SyncedAt: time.Unix(at, 0), Why: why}, {Group: "billing", Home: topology.Alias(why), SyncedAt: time.Unix(1, 0)},
		}}
	}
	got := admin.MergeGroups(say(5, "old"), say(9, "new"), say(7, "older"))
	var homes []string
	for _, g := range got.Groups {
		homes = append(homes, string(g.Home)+":"+g.Why)
	}
	if diff := cmp.Diff([]string{"eu:new", "new:", "old:", "older:"}, homes); diff != "" {
		t.Error(diff)
	}
}
