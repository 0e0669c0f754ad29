package placement

import (
	"slices"
	"time"

	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

// Rule is when a node takes a shard over that no leader gave to it.
type Rule struct {
	Still  time.Duration // the shard's progress in Kafka has stood still this long
	Step   time.Duration // and this much longer for each node that comes before in the shard's own order
	Fresh  time.Duration // what was read of Kafka longer ago than this opens nothing
	Gossip bool          // and gossip says that the holder is dead. A fence in Kafka makes this needless.
}

// Default is the rule of a datacenter: a dead node's records move again within 3 s.
var Default = Rule{Still: 2 * time.Second, Step: 500 * time.Millisecond, Fresh: 1500 * time.Millisecond, Gossip: true}

// Held is a shard that a node is to write.
type Held struct {
	Shard topology.Shard
	Epoch uint64 // of the assignment by which it is held; it goes into the registration
	Over  int64  // Holder.Seq of the registration that this holding goes past; None: the shard has none
}

// None is the Seq of no registration.
const None = -1

// View is what a node knows when it decides. Times are its own.
type View struct {
	Self     string
	Nodes    []string                       // all that the topology lists in the datacenter
	Shards   []topology.Shard               // all that end in the datacenter
	Assigned map[topology.Shard]state.Owner // the last assignment that it knows of, by raft or from its disk
	Leader   bool                           // a leader is known, so shards are assigned
	Draining bool                           // the process is about to stop: nothing new is opened
	Dead     map[string]bool                // what gossip says of the others
	Kafka    map[topology.Alias]Kafka       // by destination
	Running  map[topology.Shard]Held        // what was decided last time
}

// Decide returns what the node is to write now, in the order of the shards. It gives the same answer when it is asked again with that
// answer as Running.
func (r Rule) Decide(v View, now time.Time) []Held {
	var held []Held
	for _, shard := range sorted(v.Shards) {
		q := v.question(shard)
		run, running := v.Running[shard]
		if running {
			run, running = r.keep(q, run, now)
		}
		if !running {
			run, running = r.open(q, now)
		}
		if running {
			held = append(held, run)
		}
	}
	return held
}

// question is a view of one shard.
type question struct {
	View
	shard      topology.Shard
	assigned   state.Owner // zero: to nobody
	kafka      Kafka
	holder     Holder // if registered
	registered bool
}

func (v View) question(shard topology.Shard) question {
	q := question{View: v, shard: shard, assigned: v.Assigned[shard], kafka: v.Kafka[shard.Destination]}
	q.holder, q.registered = q.kafka.Holders[shard]
	if !q.registered {
		q.holder.Seq = None
	}
	return q
}

// keep says whether a running shard goes on, and by which epoch.
func (r Rule) keep(q question, run Held, now time.Time) (Held, bool) {
	if q.assigned.Epoch > run.Epoch {
		if q.assigned.Node != q.Self {
			return Held{}, false // superseded
		}
		run.Epoch = q.assigned.Epoch
	}
	if q.holder.Seq > run.Over {
		if q.holder.Node != q.Self {
			return Held{}, false // another one registered after us: by now we are fenced
		}
		run.Over = q.holder.Seq
	}
	ours := q.holder.Node == q.Self && q.holder.Epoch >= q.assigned.Epoch // an older registration is of before it was given to another
	if !ours && q.kafka.fresh(now, r.Fresh) && q.Leader && q.assigned.Node != q.Self && q.hopeful(q.assigned.Node) {
		return Held{}, false // taken over without a leader, and perhaps idle: then it is not registered, and nothing else tells two holders apart
	}
	return run, !q.Draining || q.Leader // without a leader nobody could be told to take it, so it is let go
}

// open says whether a shard that does not run is to be opened.
func (r Rule) open(q question, now time.Time) (Held, bool) {
	if q.Draining || !q.kafka.fresh(now, r.Fresh) || !slices.Contains(q.Nodes, q.Self) {
		return Held{}, false
	}
	held := Held{Shard: q.shard, Epoch: max(q.assigned.Epoch, q.holder.Epoch), Over: q.holder.Seq}
	if mine, settled := r.due(q, now); settled {
		return held, mine
	}
	return held, !q.Leader && r.takeOver(q, now)
}

// due answers by the assignment and the registration alone, where they settle it.
func (r Rule) due(q question, now time.Time) (mine, settled bool) {
	superseded := q.assigned.Epoch > q.holder.Epoch
	switch {
	case !q.registered:
		return true, q.assigned.Node == q.Self
	case q.holder.Node == q.Self: // nobody has taken it since we held it, unless one is about to
		return true, !superseded || q.assigned.Node == q.Self
	case superseded && q.assigned.Node == q.Self: // a hand-over: the one before lets go first, if it lives
		return q.holder.Released || now.Sub(q.holder.Moved) >= r.Still, true
	}
	return false, false
}

// takeOver says whether a shard that is another node's business has been left alone so long that it is ours now.
func (r Rule) takeOver(q question, now time.Time) bool {
	holder, heir := q.others()
	if r.Gossip && q.hopeful(holder) {
		return false
	}
	wait := r.Still
	if q.holder.Released {
		wait = 0
	}
	if q.hopeful(heir) {
		wait += r.Still // it registers before it writes, so it has written nothing yet; but it may be about to
	}
	rivals := slices.DeleteFunc(slices.Clone(q.Nodes), func(n string) bool { return n == holder || n == heir })
	wait += time.Duration(Rank(q.shard, rivals, q.Self)) * r.Step
	since := q.kafka.Since
	if q.registered {
		since = q.holder.Moved
	}
	return now.Sub(since) >= wait
}

// others returns who may be expected to write the shard, ourselves apart: its last holder, and whom a later assignment names.
func (q question) others() (holder, heir string) {
	if q.holder.Node != q.Self {
		holder = q.holder.Node
	}
	if a := q.assigned; a.Node != q.Self && a.Node != holder && (!q.registered || a.Epoch > q.holder.Epoch) {
		heir = a.Node
	}
	return holder, heir
}

// hopeful says whether a node may yet act, as far as gossip knows, which knows nothing of one that the topology doesn't list any more.
func (q question) hopeful(node string) bool {
	return node != "" && slices.Contains(q.Nodes, node) && !q.Dead[node]
}
