package placement_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

// The model: three nodes, one Kafka cluster with a registry and heartbeats, gossip that may believe anything, and raft that has a
// leader or not. A runner opens in three ticks: it looks whether the registration that it goes past is still the last, takes the
// producer epoch, which fences whoever had it, and registers. A fenced runner tries again after half a second while it is wanted.
const (
	tick    = 100 * time.Millisecond
	beats   = time.Second
	retry   = 500 * time.Millisecond
	nodes   = 3
	dstName = topology.Alias("dst")
)

// decider is what is tested: Rule.Decide, or a control in its place.
type decider func(n *modelNode, v placement.View, now time.Time) []placement.Held

func ours(r placement.Rule) decider {
	return func(_ *modelNode, v placement.View, now time.Time) []placement.Held { return r.Decide(v, now) }
}

type world struct {
	now     time.Time
	rule    placement.Rule
	decide  decider
	shards  []topology.Shard
	nodes   []*modelNode
	log     []entry                // of the cluster
	epochs  map[topology.Shard]int // producer epoch
	raft    state.State
	leader  int // index; -1: none
	opened  int // runners that became active
	stolen  int // take-overs from a holder that was writing
	history []string
}

type entry struct {
	node     string
	shard    topology.Shard // of a registration
	epoch    uint64
	beat     bool
	progress []topology.Shard
	released map[topology.Shard]int64
}

type modelNode struct {
	name                       string
	up, paused, draining, deaf bool                 // deaf: cut off from raft
	dead                       map[string]time.Time // whom it believes dead, since when
	assigned                   map[topology.Shard]state.Owner
	kafka                      placement.Kafka
	read                       int
	running                    map[topology.Shard]placement.Held
	runners                    map[topology.Shard]*runner
	released                   map[topology.Shard]int64
	beatAt                     time.Time
	lost                       map[topology.Shard]bool // for a control
}

type runner struct {
	phase phase
	since time.Time
	epoch int // of its producer
	seq   int64
}

type phase int

const (
	opening phase = iota
	registering
	active
	fenced
)

func newWorld(rule placement.Rule, decide decider, shardCount int) *world {
	w := &world{now: time.Unix(1000, 0), rule: rule, decide: decide, shards: shards(shardCount), epochs: map[topology.Shard]int{}, leader: -1}
	for i := range nodes {
		n := &modelNode{name: fmt.Sprintf("n%d", i), dead: map[string]time.Time{}, lost: map[topology.Shard]bool{}}
		w.nodes = append(w.nodes, n)
		w.start(n)
	}
	return w
}

func (w *world) names() []string {
	var names []string
	for _, n := range w.nodes {
		names = append(names, n.name)
	}
	return names
}

func (w *world) note(format string, args ...any) {
	w.history = append(w.history, fmt.Sprintf("%6.1fs ", w.now.Sub(time.Unix(1000, 0)).Seconds())+fmt.Sprintf(format, args...))
}

// start brings a process up: what it was assigned is on its disk, everything else it has to read.
func (w *world) start(n *modelNode) {
	n.up, n.paused, n.draining, n.deaf = true, false, false, false
	n.kafka, n.read = placement.Kafka{}, 0
	n.running, n.runners, n.released = nil, map[topology.Shard]*runner{}, map[topology.Shard]int64{}
	n.beatAt = w.now
}

func (w *world) kill(n *modelNode) {
	n.up, n.paused, n.runners, n.running = false, false, nil, nil
	if w.leader >= 0 && w.nodes[w.leader] == n {
		w.leader = -1
	}
}

func (n *modelNode) believe(other string, dead bool, now time.Time) {
	if _, was := n.dead[other]; !dead {
		delete(n.dead, other)
	} else if !was {
		n.dead[other] = now
	}
}

func (w *world) run(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); w.now = w.now.Add(tick) {
		w.lead()
		for _, n := range w.nodes {
			if n.up && !n.paused {
				w.step(n)
			}
		}
	}
}

func (w *world) lead() {
	if w.leader < 0 {
		return
	}
	n := w.nodes[w.leader]
	if !n.up || n.paused {
		return
	}
	v := placement.LeaderView{
		Assignment: w.raft.Assignment, Shards: w.shards, Nodes: w.names(), Alive: map[string]bool{}, Dead: n.dead,
		Leaving: map[string]bool{}, Kafka: map[topology.Alias]placement.Kafka{dstName: n.kafka}, Balance: true,
	}
	for _, o := range w.nodes {
		_, dead := n.dead[o.name]
		v.Alive[o.name], v.Leaving[o.name] = !dead, o.draining
	}
	if a, ok := w.rule.Lead(v, w.now); ok {
		w.raft, _ = state.Apply(w.raft, state.Command{Assign: &a})
		w.note("%s assigns: epoch %d %v", n.name, w.raft.Assignment.Epoch, w.raft.Assignment.Nodes())
	}
}

func (w *world) step(n *modelNode) {
	w.readKafka(n)
	led := w.leader >= 0 && !n.deaf
	if led {
		n.assigned = w.raft.Assignment.Shards
	}
	v := placement.View{
		Self: n.name, Nodes: w.names(), Shards: w.shards, Assigned: n.assigned, Leader: led, Draining: n.draining,
		Dead: map[string]bool{}, Kafka: map[topology.Alias]placement.Kafka{dstName: n.kafka}, Running: n.running,
	}
	for name := range n.dead {
		v.Dead[name] = true
	}
	held := w.decide(n, v, w.now)
	n.running = map[topology.Shard]placement.Held{}
	for _, h := range held {
		n.running[h.Shard] = h
	}
	let := w.stopRunners(n)
	for _, h := range held {
		w.turn(n, h)
	}
	if let || w.now.Sub(n.beatAt) >= beats {
		w.beat(n)
	}
}

func (w *world) readKafka(n *modelNode) {
	for ; n.read < len(w.log); n.read++ {
		if e := w.log[n.read]; e.beat {
			n.kafka.Beat(e.node, e.progress, e.released, w.now)
		} else {
			n.kafka.Registered(e.shard, e.node, e.epoch, int64(n.read), w.now)
		}
	}
	n.kafka.Read(w.now)
}

func (w *world) stopRunners(n *modelNode) bool {
	let := false
	for _, s := range w.shards {
		r := n.runners[s]
		if _, wanted := n.running[s]; wanted || r == nil {
			continue
		}
		if r.phase == active && r.epoch == w.epochs[s] {
			n.released[s], let = r.seq, true
		} else {
			n.lost[s] = true
		}
		w.note("%s lets go of %d", n.name, s.Number)
		delete(n.runners, s)
	}
	return let
}

func (w *world) turn(n *modelNode, h placement.Held) {
	r := n.runners[h.Shard]
	if r == nil {
		r = &runner{since: w.now}
		n.runners[h.Shard] = r
		w.note("%s opens %d by epoch %d over %d", n.name, h.Shard.Number, h.Epoch, h.Over)
		w.countTheft(n, h)
	}
	switch {
	case r.phase == opening && w.last(h.Shard) != h.Over:
		r.phase, r.since = fenced, w.now
	case r.phase == opening && w.now.Sub(r.since) >= tick:
		w.epochs[h.Shard]++
		r.phase, r.epoch = registering, w.epochs[h.Shard]
	case r.phase == registering:
		r.phase, r.seq = active, int64(len(w.log))
		w.log = append(w.log, entry{node: n.name, shard: h.Shard, epoch: h.Epoch})
		w.opened++
	case r.phase == active && r.epoch != w.epochs[h.Shard]:
		w.note("%s is fenced on %d", n.name, h.Shard.Number)
		r.phase, r.since = fenced, w.now
		n.lost[h.Shard] = true
	case r.phase == fenced && w.now.Sub(r.since) >= retry:
		r.phase, r.since = opening, w.now
	}
}

// countTheft counts an opening, other than by an assignment, of a shard that another node writes undisturbed.
func (w *world) countTheft(n *modelNode, h placement.Held) {
	if a := n.assigned[h.Shard]; a.Node == n.name && a.Epoch == h.Epoch {
		return
	}
	for _, o := range w.nodes {
		if r := o.runners[h.Shard]; o != n && o.up && !o.paused && r != nil && r.phase == active && r.epoch == w.epochs[h.Shard] {
			w.stolen++
		}
	}
}

func (w *world) last(s topology.Shard) int64 {
	for i, e := range slices.Backward(w.log) {
		if !e.beat && e.shard == s {
			return int64(i)
		}
	}
	return placement.None
}

func (w *world) beat(n *modelNode) {
	e := entry{node: n.name, beat: true, released: maps.Clone(n.released)}
	for s, r := range n.runners {
		if r.phase == active && r.epoch == w.epochs[s] {
			e.progress = append(e.progress, s)
		}
	}
	w.log = append(w.log, e)
	n.beatAt = w.now
}

// writers returns who writes a shard now.
func (w *world) writers(s topology.Shard) []string {
	var names []string
	for _, n := range w.nodes {
		if r := n.runners[s]; n.up && !n.paused && r != nil && r.phase == active && r.epoch == w.epochs[s] {
			names = append(names, n.name)
		}
	}
	return names
}
