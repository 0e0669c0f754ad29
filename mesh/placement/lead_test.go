package placement_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

// led is a leader's view of two shards and three nodes, all alive, where n1 owns the first shard and n2 the second.
func led() placement.LeaderView {
	all := shards(2)
	return placement.LeaderView{
		Assignment: state.Assignment{Epoch: 5, Shards: map[topology.Shard]state.Owner{all[0]: {Node: "n1", Epoch: 4}, all[1]: {Node: "n2", Epoch: 5}}},
		Shards:     all,
		Nodes:      []string{"n1", "n2", "n3"},
		Alive:      map[string]bool{"n1": true, "n2": true, "n3": true},
		Dead:       map[string]time.Time{},
		Leaving:    map[string]bool{},
		Kafka: map[topology.Alias]placement.Kafka{"dst": {ReadAt: noon, Since: noon.Add(-time.Hour), Holders: map[topology.Shard]placement.Holder{
			all[0]: {Node: "n1", Epoch: 4, Seq: 1, Moved: noon}, all[1]: {Node: "n2", Epoch: 5, Seq: 2, Moved: noon},
		}}},
	}
}

func (v proposal) owners() []string {
	var out []string
	for _, o := range v.Owners {
		out = append(out, o.Node)
	}
	return out
}

type proposal state.Assign

func lead(v placement.LeaderView) (proposal, bool) {
	a, ok := placement.Default.Lead(v, noon)
	return proposal(a), ok
}

func TestLead(t *testing.T) {
	first, second := shards(2)[0], shards(2)[1]
	register := func(v placement.LeaderView, s topology.Shard, h placement.Holder) { v.Kafka["dst"].Holders[s] = h }
	dead := func(v placement.LeaderView, node string, since time.Duration) {
		v.Alive[node] = false
		v.Dead[node] = noon.Add(-since)
	}
	tests := []struct {
		name   string
		change func(*placement.LeaderView)
		want   []string // nil: nothing to propose
	}{
		{"all is well", func(*placement.LeaderView) {}, nil},
		{"a take-over is found first, though its node is dead by now", func(v *placement.LeaderView) {
			register(*v, first, placement.Holder{Node: "n3", Epoch: 4, Seq: 7, Moved: noon.Add(-time.Minute)})
			dead(*v, "n3", time.Minute)
			dead(*v, "n2", time.Minute)
		}, []string{"n3", "n2"}},
		{"a registration by an older epoch is history", func(v *placement.LeaderView) {
			register(*v, first, placement.Holder{Node: "n3", Epoch: 3, Seq: 0, Moved: noon})
		}, nil},
		{"dead and still", func(v *placement.LeaderView) {
			register(*v, first, placement.Holder{Node: "n1", Epoch: 4, Seq: 1, Moved: noon.Add(-2 * time.Second)})
			dead(*v, "n1", 500*time.Millisecond)
		}, []string{"n3", "n2"}},
		{"dead, but it moved a moment ago", func(v *placement.LeaderView) {
			register(*v, first, placement.Holder{Node: "n1", Epoch: 4, Seq: 1, Moved: noon.Add(-time.Second)})
			dead(*v, "n1", 500*time.Millisecond)
		}, nil},
		{"dead for long, whatever Kafka says", func(v *placement.LeaderView) { dead(*v, "n1", 5*time.Second) }, []string{"n3", "n2"}},
		{"not heard of yet", func(v *placement.LeaderView) { v.Alive["n1"] = false }, nil},
		{"about to stop", func(v *placement.LeaderView) { v.Leaving["n1"] = true }, []string{"n3", "n2"}},
		{"not in the topology any more", func(v *placement.LeaderView) { v.Nodes = []string{"n2", "n3"} }, []string{"n3", "n2"}},
		{"alone and about to stop", func(v *placement.LeaderView) {
			v.Nodes, v.Leaving["n1"] = []string{"n1"}, true
			v.Assignment.Shards = map[topology.Shard]state.Owner{first: {Node: "n1", Epoch: 4}, second: {Node: "n1", Epoch: 4}}
			v.Kafka["dst"].Holders[second] = placement.Holder{Node: "n1", Epoch: 4, Seq: 2, Moved: noon}
		}, nil},
		{"a shard without an owner waits until Kafka was read", func(v *placement.LeaderView) {
			v.Assignment.Shards, v.Kafka = map[topology.Shard]state.Owner{first: {Node: "n1", Epoch: 4}}, nil
		}, nil},
		{"but not for ever", func(v *placement.LeaderView) {
			v.Assignment.Shards, v.Kafka = map[topology.Shard]state.Owner{first: {Node: "n1", Epoch: 4}}, nil
			v.Impatient = true
		}, []string{"n1", "n3"}},
		{"a link that is gone", func(v *placement.LeaderView) { v.Shards = shards(1) }, []string{"n1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := led()
			tt.change(&v)
			got, ok := lead(v)
			if ok != (tt.want != nil) {
				t.Fatalf("proposes %v", got)
			}
			if diff := cmp.Diff(tt.want, got.owners()); diff != "" {
				t.Errorf("%s", diff)
			}
			if ok && (got.Base != 5) {
				t.Errorf("base %d, floor %d", got.Base, got.Floor)
			}
		})
	}
}

// An assignment's epoch is above that of everyone who holds something, or a holder would not obey it.
func TestLeadKnowsTheHighestEpoch(t *testing.T) {
	v := led()
	v.Kafka["dst"].Holders[shards(1)[0]] = placement.Holder{Node: "n3", Epoch: 40, Seq: 7, Moved: noon}
	if got, ok := lead(v); !ok || got.Floor != 40 {
		t.Errorf("%t %+v", ok, got)
	}
}
