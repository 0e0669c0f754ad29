package placement_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

var (
	noon = time.Unix(43200, 0)
	one  = shards(1)[0]
)

func owner(node string, epoch uint64) *state.Owner { return &state.Owner{Node: node, Epoch: epoch} }

func holder(node string, epoch uint64, seq int64, still time.Duration) *placement.Holder {
	return &placement.Holder{Node: node, Epoch: epoch, Seq: seq, Moved: noon.Add(-still)}
}

func held(epoch uint64, over int64) *placement.Held {
	return &placement.Held{Shard: one, Epoch: epoch, Over: over}
}

func released(h *placement.Holder) *placement.Holder {
	h.Released = true
	return h
}

// Node n1 decides about one shard; n2 and n3 are the others.
func TestDecide(t *testing.T) {
	tests := []struct {
		name     string
		assigned *state.Owner
		holder   *placement.Holder
		running  *placement.Held
		dead     string
		leader   bool
		draining bool
		unread   bool
		want     *placement.Held
	}{
		{name: "assigned, nobody before", assigned: owner("n1", 3), want: held(3, placement.None)},
		{name: "assigned, held by this node when it stopped", assigned: owner("n1", 3), holder: holder("n1", 3, 9, 0), want: held(3, 9)},
		{name: "assigned, but Kafka was not read", assigned: owner("n1", 3), unread: true},
		{name: "assigned, the one before writes", assigned: owner("n1", 3), holder: holder("n2", 2, 9, 0), leader: true},
		{name: "assigned, the one before let go", assigned: owner("n1", 3), holder: released(holder("n2", 2, 9, 0)), leader: true, want: held(3, 9)},
		{name: "assigned, the one before stands still", assigned: owner("n1", 3), holder: holder("n2", 2, 9, 2*time.Second), leader: true, want: held(3, 9)},
		{name: "assigned on the disk, taken over since", assigned: owner("n1", 3), holder: holder("n2", 3, 9, time.Second)},
		{name: "taken over by this node before it stopped", assigned: owner("n2", 3), holder: holder("n1", 3, 9, 0), want: held(3, 9)},
		{name: "assigned to another since", assigned: owner("n2", 4), holder: holder("n1", 3, 9, 0), leader: true},
		{name: "about to stop opens nothing", assigned: owner("n1", 3), draining: true, leader: true},

		{name: "runs", assigned: owner("n1", 3), holder: holder("n1", 3, 9, 0), running: held(3, 4), want: held(3, 9)},
		{name: "runs, Kafka unread", assigned: owner("n1", 3), running: held(3, 4), unread: true, want: held(3, 4)},
		{name: "runs, everyone is dead", assigned: owner("n1", 3), holder: holder("n1", 3, 9, 0), running: held(3, 9), dead: "n2 n3", want: held(3, 9)},
		{name: "runs, the epoch rises", assigned: owner("n1", 5), holder: holder("n1", 3, 9, 0), running: held(3, 9), want: held(5, 9)},
		{name: "runs, superseded", assigned: owner("n2", 5), holder: holder("n1", 3, 9, 0), running: held(3, 9), leader: true},
		{name: "runs what it took over, the old assignment says otherwise", assigned: owner("n2", 3), holder: holder("n1", 3, 9, 0), running: held(3, 9), want: held(3, 9)},
		{name: "runs, another registered later", assigned: owner("n1", 3), holder: holder("n2", 3, 12, 0), running: held(3, 9)},
		{name: "runs, its own registration is not read yet", assigned: owner("n2", 3), holder: holder("n2", 3, 9, 3*time.Second), running: held(3, 9), want: held(3, 9)},
		{name: "runs what it took over, idle, no leader yet", assigned: owner("n2", 3), running: held(3, placement.None), want: held(3, placement.None)},
		{name: "runs what it took over, idle, the leader is back", assigned: owner("n2", 3), running: held(3, placement.None), leader: true},
		{name: "runs what it took over, another's idle one, the leader is back", assigned: owner("n2", 3), holder: holder("n2", 3, 9, 0), running: held(3, 9), leader: true},
		{name: "runs what it took over, the leader is back, the one before is dead", assigned: owner("n2", 3), holder: holder("n2", 3, 9, 0), running: held(3, 9), leader: true, dead: "n2", want: held(3, 9)},
		{name: "runs what it took over and registered, the leader is back", assigned: owner("n2", 3), holder: holder("n1", 3, 12, 0), running: held(3, 9), leader: true, want: held(3, 12)},
		{name: "runs what it took over, its own of before it was given away, idle, the leader is back", assigned: owner("n2", 3), holder: holder("n1", 2, 9, 0), running: held(3, 9), leader: true},
		{name: "runs what it took over, Kafka unread, the leader is back", assigned: owner("n2", 3), running: held(3, placement.None), leader: true, unread: true, want: held(3, placement.None)},
		{name: "runs what is assigned to nobody, idle, led", running: held(3, placement.None), leader: true, want: held(3, placement.None)},
		{name: "about to stop, led: waits for an heir", assigned: owner("n1", 3), running: held(3, 9), draining: true, leader: true, want: held(3, 9)},
		{name: "about to stop, no leader: lets go", assigned: owner("n1", 3), running: held(3, 9), draining: true},

		{name: "dead and still", assigned: owner("n2", 3), holder: holder("n2", 3, 9, 3*time.Second), dead: "n2", want: held(3, 9)},
		{name: "dead and still, but there is a leader", assigned: owner("n2", 3), holder: holder("n2", 3, 9, 3*time.Second), dead: "n2", leader: true},
		{name: "dead for gossip only", assigned: owner("n2", 3), holder: holder("n2", 3, 9, time.Second), dead: "n2"},
		{name: "still for Kafka only", assigned: owner("n2", 3), holder: holder("n2", 3, 9, time.Minute)},
		{name: "still, not in the topology any more", holder: holder("n9", 3, 9, 3*time.Second), want: held(3, 9)},
		{name: "let go by a dead node", assigned: owner("n2", 3), holder: released(holder("n2", 3, 9, 600*time.Millisecond)), dead: "n2", want: held(3, 9)},
		{name: "an heir that may yet come", assigned: owner("n2", 4), holder: holder("n1", 3, 9, 3*time.Second)},
		{name: "an heir that never came", assigned: owner("n2", 4), holder: holder("n1", 3, 9, 5*time.Second), want: held(4, 9)},
		{name: "an heir that died", assigned: owner("n2", 4), holder: holder("n1", 3, 9, 3*time.Second), dead: "n2", want: held(4, 9)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := placement.View{
				Self: "n1", Nodes: []string{"n1", "n2", "n3"}, Shards: []topology.Shard{one}, Leader: tt.leader, Draining: tt.draining,
				Assigned: map[topology.Shard]state.Owner{}, Running: map[topology.Shard]placement.Held{}, Dead: map[string]bool{},
			}
			for _, n := range []string{"n2", "n3"} {
				v.Dead[n] = tt.dead == n || tt.dead == "n2 n3"
			}
			kafka := placement.Kafka{ReadAt: noon, Since: noon.Add(-time.Hour), Holders: map[topology.Shard]placement.Holder{}}
			if tt.holder != nil {
				kafka.Holders[one] = *tt.holder
			}
			if !tt.unread {
				v.Kafka = map[topology.Alias]placement.Kafka{one.Destination: kafka}
			}
			if tt.assigned != nil {
				v.Assigned[one] = *tt.assigned
			}
			if tt.running != nil {
				v.Running[one] = *tt.running
			}
			var want []placement.Held
			if tt.want != nil {
				want = append(want, *tt.want)
			}
			if diff := cmp.Diff(want, placement.Default.Decide(v, noon)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestKafkaRemembersTheLastRegistration(t *testing.T) {
	var k placement.Kafka
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	k.Registered(one, "n1", 3, 10, at(0))
	k.Registered(one, "n2", 4, 11, at(1))
	k.Registered(one, "n1", 3, 10, at(2)) // read again
	k.Beat("n1", []topology.Shard{one}, nil, at(2))
	k.Read(at(2))
	want := placement.Holder{Node: "n2", Epoch: 4, Seq: 11, Moved: at(2)}
	if diff := cmp.Diff(want, k.Holders[one]); diff != "" {
		t.Fatalf("what was read first counts from then:\n%s", diff)
	}
	k.Beat("n2", []topology.Shard{one}, map[topology.Shard]int64{one: 9}, at(3))
	k.Read(at(3))
	if h := k.Holders[one]; !h.Moved.Equal(at(3)) || h.Released {
		t.Fatalf("an older holding was let go of, not this: %+v", h)
	}
	k.Beat("n2", nil, map[topology.Shard]int64{one: 11}, at(4))
	k.Read(at(4))
	if h := k.Holders[one]; !h.Moved.Equal(at(3)) || !h.Released || k.Epoch() != 4 {
		t.Fatalf("released: %+v", h)
	}
}

// A reader that was away does not take its own absence for a holder's stillness.
func TestKafkaCountsWatchedTimeOnly(t *testing.T) {
	var k placement.Kafka
	k.Registered(one, "n2", 4, 11, noon)
	k.Read(noon)
	copied := k.Clone()
	back := noon.Add(time.Hour)
	k.Read(back)
	if h := k.Holders[one]; !h.Moved.Equal(back) || !k.Since.Equal(back) {
		t.Errorf("after a pause: %+v", k)
	}
	k.Read(back.Add(time.Second))
	if h := k.Holders[one]; !h.Moved.Equal(back) {
		t.Errorf("watched: %+v", h)
	}
	if !copied.Holders[one].Moved.Equal(noon) {
		t.Error("the copy changed")
	}
}
