package placement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

func rules() map[string]placement.Rule {
	free := placement.Default
	free.Gossip = false
	return map[string]placement.Rule{"gossip and Kafka": placement.Default, "Kafka alone": free}
}

// rest runs the world until it should be at rest, and reports what is wrong then: shards that nobody writes, and runners that still
// change.
func (w *world) rest() (orphans []topology.Shard, restless int) {
	w.run(10 * time.Second)
	opened := w.opened
	w.run(4 * time.Second)
	for _, s := range w.shards {
		if len(w.writers(s)) == 0 {
			orphans = append(orphans, s)
		}
	}
	return orphans, w.opened - opened
}

func (w *world) story() string { return strings.Join(w.history, "\n") }

// static puts the world into one of the cases of the exhaustive test: who holds, who is up and who believes whom dead.
func static(rule placement.Rule, decide decider, holder int, up, beliefs int) *world {
	w := newWorld(rule, decide, 4)
	if holder < nodes {
		w.assignAll(holder)
		w.run(2 * time.Second)
		w.leader = -1
	}
	for i, n := range w.nodes {
		if up&(1<<i) == 0 {
			w.kill(n)
		}
		for j := range nodes - 1 {
			n.believe(w.nodes[(i+1+j)%nodes].name, beliefs&(1<<(2*i+j)) != 0, w.now)
		}
	}
	return w
}

func (w *world) assignAll(to int) {
	a := &state.Assign{}
	for _, s := range w.shards {
		a.Owners = append(a.Owners, state.ShardOwner{Shard: s, Node: w.nodes[to].name})
	}
	w.raft, _ = state.Apply(w.raft, state.Command{Assign: a})
	for _, n := range w.nodes {
		n.assigned = w.raft.Assignment.Shards
	}
}

// blocked says whether every node that is up believes that someone else has the shards in hand who does not: then, and only while
// gossip has a say, nobody takes them.
func (w *world) blocked(holder int) bool {
	if !w.rule.Gossip || holder == nodes || w.nodes[holder].up {
		return false
	}
	for _, n := range w.nodes {
		if _, dead := n.dead[w.nodes[holder].name]; n.up && dead {
			return false
		}
	}
	return true
}

// Every holder, every set of living nodes, every view of who is alive.
func TestTakeOverUnderAllViews(t *testing.T) {
	for name, rule := range rules() {
		t.Run(name, func(t *testing.T) {
			for holder := range nodes + 1 {
				for up := 1; up < 1<<nodes; up++ {
					for beliefs := range 1 << (2 * nodes) {
						checkStatic(t, static(rule, ours(rule), holder, up, beliefs), holder, fmt.Sprintf("holder %d, up %03b, beliefs %06b", holder, up, beliefs))
					}
				}
			}
		})
	}
}

func checkStatic(t *testing.T, w *world, holder int, name string) {
	t.Helper()
	blocked := w.blocked(holder)
	anyone := w.rule.Gossip && holder == nodes
	orphans, restless := w.rest()
	if (len(orphans) > 0) != blocked && !anyone {
		t.Errorf("%s: nobody writes %v\n%s", name, orphans, w.story())
	}
	if anyone && len(orphans) > 0 {
		t.Errorf("%s: nobody takes what nobody had: %v\n%s", name, orphans, w.story())
	}
	if restless > 0 || w.stolen > 0 {
		t.Errorf("%s: %d changes at rest, %d taken from who was writing\n%s", name, restless, w.stolen, w.story())
	}
}

// Random days: kills, restarts, pauses, wrong beliefs, leaders that come and go, planned stops.
func TestTakeOverOnRandomDays(t *testing.T) {
	for name, rule := range rules() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := newWorld(rule, ours(rule), 3)
				for range rapid.IntRange(1, 12).Draw(t, "events") {
					w.event(t)
					w.run(time.Duration(rapid.IntRange(1, 40).Draw(t, "ticks")) * tick)
				}
				w.calm(t)
				orphans, restless := w.rest()
				if len(orphans) > 0 || restless > 0 {
					t.Fatalf("nobody writes %v, %d changes at rest\n%s", orphans, restless, w.story())
				}
			})
		})
	}
}

func (w *world) event(t *rapid.T) {
	n := w.nodes[rapid.IntRange(0, nodes-1).Draw(t, "node")]
	other := w.nodes[rapid.IntRange(0, nodes-1).Draw(t, "other")]
	what := rapid.SampledFrom([]string{"kill", "start", "pause", "resume", "doubt", "trust", "elect", "unseat", "deafen", "drain"}).Draw(t, "what")
	w.note("%s %s %s", what, n.name, other.name)
	switch what {
	case "kill":
		w.kill(n)
	case "start":
		if !n.up {
			w.start(n)
		}
	case "pause":
		n.paused = n.up
	case "resume":
		n.paused = false
	case "doubt", "trust":
		n.believe(other.name, what == "doubt" && other != n, w.now)
	case "elect":
		w.elect()
	case "unseat":
		w.leader = -1
	case "deafen":
		n.deaf = n.up
	case "drain":
		n.draining = n.up
	}
}

// elect makes the first node leader that has a quorum: two up, who hear raft.
func (w *world) elect() {
	var able []int
	for i, n := range w.nodes {
		if n.up && !n.paused && !n.deaf {
			able = append(able, i)
		}
	}
	w.leader = -1
	if 2*len(able) > nodes {
		w.leader = able[0]
	}
}

// calm ends the events: nobody is paused or on its way out, someone is up, and the dead are known to be dead. Of the living gossip may
// go on to believe anything, except a leader's.
func (w *world) calm(t *rapid.T) {
	for _, n := range w.nodes {
		n.paused, n.deaf = false, false
		if n.draining {
			w.kill(n)
			n.draining = false
		}
	}
	if len(w.up()) == 0 {
		w.start(w.nodes[0])
	}
	for _, n := range w.nodes {
		for _, o := range w.nodes {
			if o != n {
				n.believe(o.name, !o.up || rapid.Bool().Draw(t, "believed dead"), w.now)
			}
		}
	}
	if w.leader = -1; rapid.Bool().Draw(t, "a leader at last") {
		w.elect()
	}
	w.note("calm, leader %d, up %v", w.leader, w.up())
}

func (w *world) up() []string {
	var names []string
	for _, n := range w.nodes {
		if n.up {
			names = append(names, n.name)
		}
	}
	return names
}

// The controls: two simpler rules, which the model must catch.

// mineSoOpen: whoever comes first among those that it believes alive opens, and opens again when it is fenced.
func mineSoOpen(_ *modelNode, v placement.View, _ time.Time) []placement.Held {
	var alive []string
	for _, n := range v.Nodes {
		if !v.Dead[n] {
			alive = append(alive, n)
		}
	}
	var held []placement.Held
	for _, s := range v.Shards {
		if placement.Rank(s, alive, v.Self) == 0 {
			over := int64(placement.None)
			if h, ok := v.Kafka[s.Destination].Holders[s]; ok {
				over = h.Seq
			}
			held = append(held, placement.Held{Shard: s, Over: over})
		}
	}
	return held
}

func TestControlMineSoOpenNeverRests(t *testing.T) {
	w := newWorld(placement.Default, mineSoOpen, 4)
	for _, n := range w.nodes { // each believes to be alone
		for _, o := range w.nodes {
			n.believe(o.name, o != n, w.now)
		}
	}
	if _, restless := w.rest(); restless == 0 {
		t.Error("the model does not see this rule fight on")
	}
}

// neverTakeBack is our rule, but what was taken from a node it never opens again.
func neverTakeBack(n *modelNode, v placement.View, now time.Time) []placement.Held {
	var held []placement.Held
	for _, h := range placement.Default.Decide(v, now) {
		if !n.lost[h.Shard] {
			held = append(held, h)
		}
	}
	return held
}

// The first node is paused and taken for dead; the second takes over; the first wakes up; the second dies for good.
func tookAndDied(decide decider) *world {
	w := newWorld(placement.Default, decide, 4)
	w.assignAll(0)
	w.run(2 * time.Second)
	first, second := w.nodes[0], w.nodes[1]
	w.kill(w.nodes[2])
	first.believe("n2", true, w.now)
	second.believe("n2", true, w.now)
	first.paused = true
	second.believe("n0", true, w.now)
	w.run(5 * time.Second)
	first.paused = false
	second.believe("n0", false, w.now)
	w.run(5 * time.Second)
	w.kill(second)
	first.believe("n1", true, w.now)
	return w
}

func TestTakesBackFromTheDead(t *testing.T) {
	w := tookAndDied(ours(placement.Default))
	if orphans, restless := w.rest(); len(orphans) > 0 || restless > 0 {
		t.Errorf("nobody writes %v, %d changes\n%s", orphans, restless, w.story())
	}
}

func TestControlNeverTakeBackLeavesOrphans(t *testing.T) {
	w := tookAndDied(neverTakeBack)
	if orphans, _ := w.rest(); len(orphans) != len(w.shards) {
		t.Errorf("the model does not see what this rule leaves behind: %v", orphans)
	}
}

// A dead holder's shards are written again within 3 s, with a leader and without, and nobody fights for them.
func TestTakeOverIsQuick(t *testing.T) {
	for _, led := range []bool{false, true} {
		w := newWorld(placement.Default, ours(placement.Default), 8)
		w.assignAll(0)
		if led {
			w.leader = 1
		}
		w.run(5 * time.Second)
		lost := len(w.nodes[0].runners)
		w.kill(w.nodes[0])
		died, opened := w.now, w.opened
		w.run(1200 * time.Millisecond)
		for _, n := range w.nodes[1:] {
			n.believe("n0", true, w.now)
		}
		for w.now.Sub(died) < 3*time.Second {
			w.run(tick)
		}
		if n := w.opened - opened; n != lost {
			t.Errorf("leader %t: %d openings for %d shards\n%s", led, n, lost, w.story())
		}
		for _, s := range w.shards {
			if len(w.writers(s)) != 1 {
				t.Errorf("leader %t: %s is written by %v after 3 s\n%s", led, s, w.writers(s), w.story())
			}
		}
	}
}
