package state_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

func doc(version int64, hash, parent string) state.Topology {
	return state.Topology{Stamp: topology.Stamp{Version: version, Hash: hash}, Parent: parent, Encoded: []byte(hash)}
}

func accept(t state.Topology, heard bool) state.Command {
	return state.Command{Accept: &state.Accept{Topology: t, Heard: heard}}
}

func TestAcceptTopology(t *testing.T) {
	tests := []struct {
		name    string
		running state.Topology
		offered state.Topology
		heard   bool
		refused state.Refusal
		says    []string
		lost    string // hash
	}{
		{name: "the first", offered: doc(1, "aa", "")},
		{name: "higher", running: doc(1, "aa", ""), offered: doc(2, "bb", "aa")},
		{name: "the same again", running: doc(1, "aa", ""), offered: doc(1, "aa", "")},
		{name: "older", running: doc(2, "bb", "aa"), offered: doc(1, "aa", ""), refused: state.RefusedOlder, says: []string{"version 2", "version 1"}},
		{name: "older, heard", running: doc(2, "bb", "aa"), offered: doc(1, "aa", ""), heard: true, refused: state.RefusedOlder},
		{
			name: "other content", running: doc(2, "bb", "aa"), offered: doc(2, "cc", "aa"),
			refused: state.RefusedConflict, says: []string{"bb", "cc", "raise its version"},
		},
		{name: "fork, heard and higher", running: doc(2, "bb", "aa"), offered: doc(2, "cc", "aa"), heard: true, lost: "bb"},
		{name: "fork, heard and lower", running: doc(2, "cc", "aa"), offered: doc(2, "bb", "aa"), heard: true, refused: state.RefusedOlder},
		{name: "two children of one parent", running: doc(2, "bb", "aa"), offered: doc(3, "cc", "aa"), heard: true, lost: "bb"},
		{name: "a grandchild", running: doc(2, "bb", "aa"), offered: doc(4, "dd", "cc"), heard: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := state.State{Topology: tt.running}
			after, result := state.Apply(before, accept(tt.offered, tt.heard))
			if result.Refused != tt.refused {
				t.Fatalf("refused %q (%s), want %q", result.Refused, result.Reason, tt.refused)
			}
			want := tt.offered
			if tt.refused != "" {
				want = tt.running
			}
			if diff := cmp.Diff(want, after.Topology); diff != "" {
				t.Errorf("accepted:\n%s", diff)
			}
			if after.Lost.Hash != tt.lost {
				t.Errorf("lost %q, want %q", after.Lost.Hash, tt.lost)
			}
			for _, word := range tt.says {
				if !strings.Contains(result.Reason, word) {
					t.Errorf("the reason %q does not name %q", result.Reason, word)
				}
			}
		})
	}
}

var shardA, shardB = topology.Shard{Origin: "us", Destination: "eu"}, topology.Shard{Origin: "us", Destination: "eu", Number: 1}

func assign(base, floor uint64, owners ...string) state.Command {
	a := &state.Assign{Base: base, Floor: floor}
	for i, node := range owners {
		a.Owners = append(a.Owners, state.ShardOwner{Shard: topology.Shard{Origin: "us", Destination: "eu", Number: i}, Node: node})
	}
	return state.Command{Assign: a}
}

func TestAssignRaisesTheEpochOfWhatMoves(t *testing.T) {
	s, r := state.Apply(state.State{}, assign(0, 0, "n1", "n1"))
	if r.Epoch != 1 || s.Assignment.Shards[shardB] != (state.Owner{Node: "n1", Epoch: 1}) {
		t.Fatalf("first: %+v %+v", r, s.Assignment)
	}
	s, r = state.Apply(s, assign(1, 0, "n1", "n2"))
	want := map[topology.Shard]state.Owner{shardA: {Node: "n1", Epoch: 1}, shardB: {Node: "n2", Epoch: 2}}
	if diff := cmp.Diff(want, s.Assignment.Shards); diff != "" || r.Epoch != 2 {
		t.Fatalf("moved: %+v\n%s", r, diff)
	}
	if s, r = state.Apply(s, assign(2, 40, "n1", "n2")); r.Changed || s.Assignment.Epoch != 2 {
		t.Fatalf("the same again: %+v", r)
	}
	if _, r = state.Apply(s, assign(1, 0, "n3", "n3")); r.Refused != state.RefusedStale || r.Err() == nil {
		t.Fatalf("from an old base: %+v", r)
	}
	if s, r = state.Apply(s, assign(2, 40, "n2", "n2")); r.Epoch != 41 || s.Assignment.Shards[shardA].Epoch != 41 {
		t.Fatalf("above the floor: %+v", r)
	}
	if s, r = state.Apply(s, assign(41, 0, "n2")); !r.Changed || len(s.Assignment.Shards) != 1 || s.Assignment.Epoch != 42 {
		t.Fatalf("a shard left out: %+v %+v", r, s.Assignment)
	}
}

func TestPause(t *testing.T) {
	link, topic := state.Pause{Link: "retail"}, state.Pause{Link: "retail", Topic: "orders"}
	s := state.State{}
	for _, p := range []state.Pause{link, topic} {
		s, _ = state.Apply(s, state.Command{Pause: &state.SetPause{Pause: p, Paused: true}})
	}
	resumed, r := state.Apply(s, state.Command{Pause: &state.SetPause{Pause: link}})
	if !r.Changed || resumed.Pauses[link] || !resumed.Pauses[topic] {
		t.Errorf("resumed: %+v", resumed.Pauses)
	}
	if !s.Pauses[link] {
		t.Error("the state before was changed")
	}
}

func TestFutureFormats(t *testing.T) {
	if _, err := state.DecodeCommand([]byte(`{"v":2,"teleport":{}}`)); !errors.Is(err, state.ErrFuture) {
		t.Errorf("command: %v", err)
	}
	if _, err := state.DecodeState([]byte(`{"v":2,"moons":[1]}`)); !errors.Is(err, state.ErrFuture) {
		t.Errorf("snapshot: %v", err)
	}
	for _, raw := range []string{``, `{}`, `{"v":1}`, `{"v":1,"pause":{},"assign":{}}`, `{"v":1,"pause":{}} x`, `{"v":1,"other":{}}`} {
		if _, err := state.DecodeCommand([]byte(raw)); err == nil {
			t.Errorf("%q is taken for a command", raw)
		}
	}
}

// The commands of a run, drawn so that bases and stamps collide with what is there.
func command() *rapid.Generator[state.Command] {
	return rapid.Custom(func(t *rapid.T) state.Command {
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			hashes := rapid.SampledFrom([]string{"aa", "bb", "cc"})
			return accept(doc(rapid.Int64Range(1, 4).Draw(t, "version"), hashes.Draw(t, "hash"), hashes.Draw(t, "parent")), rapid.Bool().Draw(t, "heard"))
		case 1:
			owners := rapid.SliceOfN(rapid.SampledFrom([]string{"n1", "n2", "n3"}), 0, 4).Draw(t, "owners")
			return assign(rapid.Uint64Range(0, 5).Draw(t, "base"), rapid.Uint64Range(0, 3).Draw(t, "floor"), owners...)
		default:
			p := state.Pause{Link: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "link"), Topic: rapid.SampledFrom([]string{"", "t"}).Draw(t, "topic")}
			return state.Command{Pause: &state.SetPause{Pause: p, Paused: rapid.Bool().Draw(t, "paused")}}
		}
	})
}

func encoded(t *rapid.T, s state.State) string {
	raw, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Two replicas, one of which takes each command through the codec and is restored from a snapshot now and then, stay equal; the
// epoch and the topology only rise; Apply leaves its argument alone.
func TestReplicasStayEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b state.State
		for _, c := range rapid.SliceOfN(command(), 0, 30).Draw(t, "commands") {
			before := encoded(t, a)
			next, result := state.Apply(a, c)
			if encoded(t, a) != before {
				t.Fatalf("%+v changed its argument", c)
			}
			if next.Assignment.Epoch < a.Assignment.Epoch || a.Topology.Above(next.Topology) {
				t.Fatalf("%+v went back", c)
			}
			if result.Changed != (encoded(t, next) != before) {
				t.Fatalf("%+v says changed: %t", c, result.Changed)
			}
			checkEpochs(t, a, next)
			b = other(t, b, c, result)
			if a = next; encoded(t, a) != encoded(t, b) {
				t.Fatalf("replicas differ:\n%s\n%s", encoded(t, a), encoded(t, b))
			}
		}
	})
}

func checkEpochs(t *rapid.T, before, after state.State) {
	for shard, owner := range after.Assignment.Shards {
		was, had := before.Assignment.Shards[shard]
		if moved := !had || was.Node != owner.Node; moved && owner.Epoch <= before.Assignment.Epoch || !moved && owner != was {
			t.Fatalf("%s: %+v became %+v", shard, was, owner)
		}
	}
}

func other(t *rapid.T, s state.State, c state.Command, want state.Result) state.State {
	raw, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if c, err = state.DecodeCommand(raw); err != nil {
		t.Fatal(err)
	}
	s, got := state.Apply(s, c)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("results differ:\n%s", diff)
	}
	if rapid.Bool().Draw(t, "restart") {
		if s, err = state.DecodeState([]byte(encoded(t, s))); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func FuzzDecodeCommand(f *testing.F) {
	for _, c := range []state.Command{accept(doc(1, "aa", ""), true), assign(1, 2, "n1"), {Pause: &state.SetPause{}}} {
		raw, err := c.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := state.DecodeCommand(raw)
		if err != nil {
			return
		}
		again, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if d, err := state.DecodeCommand(again); err != nil || !cmp.Equal(c, d) {
			t.Fatalf("round trip: %v\n%s", err, cmp.Diff(c, d))
		}
		state.Apply(state.State{}, c)
	})
}

func FuzzDecodeState(f *testing.F) {
	s, _ := state.Apply(state.State{}, assign(0, 0, "n1", "n2"))
	s, _ = state.Apply(s, accept(doc(1, "aa", ""), true))
	raw, err := s.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := state.DecodeState(raw)
		if err != nil {
			return
		}
		first, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := state.DecodeState(first)
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := again.Encode(); string(first) != string(second) {
			t.Fatalf("round trip:\n%s\n%s", first, second)
		}
	})
}
