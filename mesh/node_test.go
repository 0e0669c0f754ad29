package mesh

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/meshd/meshd/mesh/gossip"
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/topology"
)

var (
	two   = []string{"us1", "us2", "eu1"}
	three = []string{"us1", "us2", "us3", "eu1"}
)

// limit is from a node's death to records moving again.
const limit = 3 * time.Second

func TestFirstStart(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		for _, dc := range []string{"us", "eu"} {
			if took := await(t, 10*time.Second, dc+" is served", func() bool { return w.served(dc) }); took > limit {
				t.Errorf("%s is served after %v", dc, took)
			}
		}
		w.calm(t, "us")
	})
}

// One of two is lost, and the quorum with it. The other takes over by what Kafka says, within 3 s. When the lost one is back it leaves
// alone what was taken over, until the leader, who first proposes what is so, moves a part.
func TestTakeOverWithoutAQuorum(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		w.calm(t, "us")
		one, other := w.nodes["us1"], w.nodes["us2"]
		other.kill(t)
		died := time.Now()
		await(t, 10*time.Second, "served by one", func() bool { return w.served("us") && len(w.writers("us")) == 1 })
		if stall := w.kafka["us"].stall(died, time.Now()); stall > limit {
			t.Errorf("records stood still for %v", stall)
		}
		if leader, _ := one.store.Leader(); leader != "" {
			t.Fatalf("%s leads without a quorum", leader)
		}
		time.Sleep(time.Minute) // all that while its own disk says that us2 has half of them
		if w.writers("us")["us1"] != topology.Shards {
			t.Errorf("after a minute: %v", w.writers("us"))
		}
		back := time.Now()
		other.start(t)
		if await(t, 5*time.Second, "a leader", func() bool { return w.leader("us") != "" }); w.writers("us")["us1"] != topology.Shards {
			t.Errorf("with the first leader: %v", w.writers("us"))
		}
		w.calm(t, "us")
		if stall := w.kafka["us"].stall(back, time.Now()); stall > time.Second {
			t.Errorf("moving back stood still for %v", stall)
		}
	})
}

// With three nodes the leader moves what a dead one had, and nothing else, also if the dead one led.
func TestALeaderMovesWhatADeadNodeHad(t *testing.T) {
	for _, which := range []string{"the leader", "a follower"} {
		t.Run(which, func(t *testing.T) {
			bubble(t, three, func(t *testing.T, w *world) {
				w.start(t, three...)
				w.calm(t, "us")
				name := w.leader("us")
				if which != "the leader" {
					name = others(w.up("us"), name)[0]
				}
				had := w.nodes[name].Assignment().Nodes()
				w.nodes[name].kill(t)
				died := time.Now()
				defer func() {
					if t.Failed() {
						t.Log(w.unserved("us"))
					}
				}()
				await(t, 10*time.Second, "served", func() bool { return w.served("us") && w.leader("us") != "" && len(w.writers("us")) == 2 })
				stall := w.kafka["us"].stall(died, time.Now())
				if t.Logf("records stood still for %v", stall); stall > limit {
					t.Error("that is too long")
				}
				await(t, 5*time.Second, "agreed", func() bool { return w.agreed("us") })
				for shard, owner := range w.nodes[w.leader("us")].Assignment().Nodes() {
					if had[shard] != name && had[shard] != owner {
						t.Errorf("%s moved from %s, which lives, to %s", shard, had[shard], owner)
					}
				}
				w.start(t, name)
				w.calm(t, "us")
			})
		})
	}
}

// A node that is back within two seconds finds its shards where they were, and runs them before there is any leader.
func TestRestartReshufflesNothing(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		w.calm(t, "us")
		before := w.nodes["us1"].Assignment()
		name := w.leader("us")
		w.nodes[name].kill(t)
		time.Sleep(600 * time.Millisecond)
		began := time.Now()
		w.start(t, name)
		took := await(t, 5*time.Second, "served", func() bool { return w.served("us") })
		if t.Logf("served %v after the start", took); took > time.Second {
			t.Error("that is too long")
		}
		time.Sleep(10*time.Second - time.Since(began))
		if after := w.nodes["us1"].Assignment(); !maps.Equal(before.Shards, after.Shards) {
			t.Errorf("epoch %d became %d", before.Epoch, after.Epoch)
		}
	})
}

// One of two comes back alone after both were stopped: no quorum, no gossip.
func TestStartAloneRunsTheLastAssignment(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		w.calm(t, "us")
		mine := w.writers("us")["us1"]
		for _, name := range two {
			w.nodes[name].kill(t)
		}
		time.Sleep(time.Hour)
		w.start(t, "us1")
		took := await(t, 5*time.Second, "its own shards run", func() bool { return w.writers("us")["us1"] >= mine })
		if t.Logf("after %v", took); took > time.Second {
			t.Error("that is too long")
		}
		await(t, 10*time.Second, "and then the others'", func() bool { return w.served("us") })
	})
}

func TestLeaveHandsOver(t *testing.T) {
	for _, which := range []string{"the leader", "a follower"} {
		t.Run(which, func(t *testing.T) {
			bubble(t, two, func(t *testing.T, w *world) {
				w.start(t, two...)
				w.calm(t, "us")
				name := w.leader("us")
				if which != "the leader" {
					name = others(w.up("us"), name)[0]
				}
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if err := w.nodes[name].Leave(ctx); err != nil {
					t.Fatal(err)
				}
				t.Logf("left after %v", time.Since(began))
				if n := w.nodes[name].runner.running(t); n != 0 {
					t.Errorf("%d shards are held still", n)
				}
				w.nodes[name].kill(t)
				await(t, 5*time.Second, "served", func() bool { return w.served("us") })
				if stall := w.kafka["us"].stall(began, time.Now()); stall > time.Second {
					t.Errorf("records stood still for %v", stall)
				}
			})
		})
	}
}

// The only node of a datacenter, or the last of two, has nobody to give to: it lets go.
func TestLeaveOfTheLastNode(t *testing.T) {
	bubble(t, []string{"us1", "eu1"}, func(t *testing.T, w *world) {
		w.start(t, "us1")
		w.calm(t, "us")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		if err := w.nodes["us1"].Leave(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 2*time.Second || w.nodes["us1"].runner.running(t) != 0 {
			t.Errorf("after %v it holds %d", took, w.nodes["us1"].runner.running(t))
		}
	})
}

// Two nodes that don't see each other, and have no leader, but write both: nothing moves.
func TestACutAtHomeMovesNothing(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		w.calm(t, "us")
		before := w.kafka["us"].writers(time.Now().Add(-3 * writeEvery))
		w.network.Cut(func(from, to string) bool {
			return strings.HasPrefix(from, "10.0.0.1:") != strings.HasPrefix(to, "10.0.0.1:")
		})
		w.apart = func(_, _ string) bool { return true }
		w.connect()
		await(t, 10*time.Second, "each believes the other dead", func() bool {
			return w.nodes["us1"].sees("us2") == gossip.Dead && w.nodes["us2"].sees("us1") == gossip.Dead
		})
		cut := time.Now()
		time.Sleep(time.Minute)
		if leader := w.leader("us"); leader != "" {
			t.Errorf("%s leads", leader)
		}
		for shard, by := range w.kafka["us"].writers(cut) {
			if !maps.Equal(by, before[shard]) {
				t.Errorf("%s was written by %v, before by %v", shard, by, before[shard])
			}
		}
		if stall := w.kafka["us"].stall(cut, time.Now()); stall > time.Second {
			t.Errorf("records stood still for %v", stall)
		}
	})
}

// Without the other datacenter everything goes on, and a death at home is dealt with as ever.
func TestLossOfTheWAN(t *testing.T) {
	bubble(t, three, func(t *testing.T, w *world) {
		w.start(t, three...)
		w.calm(t, "us")
		w.network.Cut(func(from, to string) bool {
			return strings.HasPrefix(from, "10.0.0.4:") != strings.HasPrefix(to, "10.0.0.4:")
		})
		cut := time.Now()
		await(t, time.Minute, "the far one is dead", func() bool { return w.nodes["us1"].sees("eu1") == gossip.Dead })
		if stall := w.kafka["us"].stall(cut, time.Now()); stall > time.Second {
			t.Errorf("records stood still for %v", stall)
		}
		name := others(w.up("us"), w.leader("us"))[0]
		w.nodes[name].kill(t)
		died := time.Now()
		await(t, 10*time.Second, "served", func() bool { return w.served("us") && len(w.writers("us")) == 2 })
		if stall := w.kafka["us"].stall(died, time.Now()); stall > limit {
			t.Errorf("records stood still for %v", stall)
		}
	})
}

// While Kafka is away nobody takes its silence for death, and what is held stays held.
func TestKafkaIsAway(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		w.calm(t, "us")
		before := w.kafka["us"].writers(time.Now().Add(-3 * writeEvery))
		down := func(is bool) {
			w.kafka["us"].mu.Lock()
			w.kafka["us"].down = is
			w.kafka["us"].mu.Unlock()
		}
		down(true)
		time.Sleep(30 * time.Second)
		down(false)
		back := time.Now()
		time.Sleep(10 * time.Second)
		for shard, by := range w.kafka["us"].writers(back) {
			if !maps.Equal(by, before[shard]) {
				t.Errorf("%s was written by %v, before by %v", shard, by, before[shard])
			}
		}
	})
}

// A hot shard is balanced by bytes, not by count: the idle ones gather elsewhere, and then nothing moves any more.
func TestBalanceFollowsTheLoad(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		w.calm(t, "us")
		load := map[topology.Shard]float64{}
		mine := w.nodes["us1"].Held()
		for _, h := range mine[:8] {
			load[h.Shard] = 10e6 // 80 MB/s on us1, nothing on us2
		}
		for _, name := range []string{"us1", "us2"} {
			r := w.nodes[name].runner
			r.mu.Lock()
			r.load = load
			r.mu.Unlock()
		}
		hot := func(name string) (n int) {
			for _, h := range w.nodes[name].Held() {
				if load[h.Shard] > 0 {
					n++
				}
			}
			return n
		}
		await(t, 2*time.Minute, "the hot ones are shared", func() bool { return hot("us1") == 4 && hot("us2") == 4 })
		epoch := w.nodes["us1"].Assignment().Epoch
		time.Sleep(5 * time.Minute)
		if now := w.nodes["us1"].Assignment().Epoch; now != epoch {
			t.Errorf("it went on moving: epoch %d became %d", epoch, now)
		}
	})
}

func TestStatus(t *testing.T) {
	bubble(t, two, func(t *testing.T, w *world) {
		w.start(t, two...)
		w.calm(t, "us")
		time.Sleep(10 * time.Second)
		shards, leaders := 0, 0
		for _, s := range w.nodes["us1"].Nodes() {
			if s.State != gossip.Alive || s.Meta.Build != "test" || s.Meta.Topology != w.topology.Stamp() || s.Gossip == "" {
				t.Errorf("%+v", s)
			}
			if s.Leader {
				leaders++
			}
			shards += s.Meta.Shards
		}
		if leaders != 2 || shards != 2*topology.Shards {
			t.Errorf("%d leaders, %d shards", leaders, shards)
		}
		if n := sum(w.writers("us")); n != len(placement.Shards(w.topology, "us")) {
			t.Errorf("%d shards are written", n)
		}
	})
}

// A node that gossip sees but raft does not reach keeps what it has, and is given nothing, for it would not hear of it.
func TestADeafNodeIsGivenNothing(t *testing.T) {
	bubble(t, three, func(t *testing.T, w *world) {
		w.start(t, three...)
		w.calm(t, "us")
		lead := w.leader("us")
		followers := others(w.up("us"), lead)
		deaf, leaver := followers[0], followers[1]
		w.apart = func(a, b string) bool { return a == deaf || b == deaf }
		w.connect()
		cut := time.Now()
		had := w.writers("us")[deaf]
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := w.nodes[leaver].Leave(ctx); err != nil {
			t.Fatal(err)
		}
		await(t, 10*time.Second, "served", func() bool { return w.served("us") && w.writers("us")[leaver] == 0 })
		if n := w.writers("us")[deaf]; n != had {
			t.Errorf("the deaf one writes %d shards, before %d", n, had)
		}
		if stall := w.kafka["us"].stall(cut, time.Now()); stall > time.Second {
			t.Errorf("records stood still for %v", stall)
		}
	})
}
