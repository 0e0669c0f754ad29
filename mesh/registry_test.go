package mesh

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/topology"
)

// registry stands in for the clusters of a test: registrations, heartbeats, producer epochs, and every write that was accepted. The
// nodes' runners write into it, and their Liveness reads it.
type registry struct {
	mu     sync.Mutex
	log    []note
	epochs map[topology.Shard]int
	writes map[topology.Shard][]write
	down   bool // the clusters don't answer
}

type note struct {
	node     string
	shard    topology.Shard // of a registration
	epoch    uint64
	beat     bool
	progress []topology.Shard
	released map[topology.Shard]int64
}

type write struct {
	node string
	at   time.Time
}

func newRegistry() *registry {
	return &registry{epochs: map[topology.Shard]int{}, writes: map[topology.Shard][]write{}}
}

func (r *registry) last(s topology.Shard) int64 {
	for i, e := range slices.Backward(r.log) {
		if !e.beat && e.shard == s {
			return int64(i)
		}
	}
	return placement.None
}

// writers returns who has written each shard since a time.
func (r *registry) writers(since time.Time) map[topology.Shard]map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[topology.Shard]map[string]bool{}
	for s, writes := range r.writes {
		for _, w := range writes {
			if w.at.After(since) {
				if out[s] == nil {
					out[s] = map[string]bool{}
				}
				out[s][w.node] = true
			}
		}
	}
	return out
}

// stall returns the longest time that a shard stood still between two times, over all shards.
func (r *registry) stall(from, to time.Time) (longest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, writes := range r.writes {
		last := from
		for _, w := range writes {
			if w.at.After(from) && w.at.Before(to) {
				longest, last = max(longest, w.at.Sub(last)), w.at
			}
		}
		longest = max(longest, to.Sub(last))
	}
	return longest
}

// runner is a data path that writes a record to each shard of its node 20 times a second.
type runner struct {
	node  string
	kafka *registry

	mu       sync.Mutex
	desired  Desired
	shards   map[topology.Shard]*writer
	released map[topology.Shard]int64
	load     map[topology.Shard]float64
	stop     chan struct{}
	killed   bool
	beatNow  chan struct{}
	wg       sync.WaitGroup
	view     placement.Kafka
	watchers map[chan struct{}]struct{}
}

type writer struct {
	held  placement.Held
	stop  chan struct{}
	done  chan struct{}
	epoch int // of the producer; 0: none yet
	seq   int64
	runs  bool
}

const (
	writeEvery = 50 * time.Millisecond
	readEvery  = 100 * time.Millisecond
)

func newRunner(node string, kafka *registry) *runner {
	r := &runner{
		node: node, kafka: kafka, shards: map[topology.Shard]*writer{}, released: map[topology.Shard]int64{},
		stop: make(chan struct{}), beatNow: make(chan struct{}, 1), watchers: map[chan struct{}]struct{}{},
	}
	r.wg.Go(r.beats)
	r.wg.Go(r.reads)
	return r
}

// Apply implements Runner.
func (r *runner) Apply(d Desired) error {
	r.mu.Lock()
	want := map[topology.Shard]placement.Held{}
	for _, h := range d.Held {
		want[h.Shard] = h
	}
	r.desired = d
	var gone []*writer
	for s, w := range r.shards {
		if _, ok := want[s]; !ok {
			gone = append(gone, w)
			delete(r.shards, s)
		}
	}
	r.mu.Unlock()
	for _, w := range gone {
		close(w.stop)
		<-w.done
		r.mu.Lock()
		r.released[w.held.Shard] = w.seq
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killed {
		return nil
	}
	for s, h := range want {
		if w := r.shards[s]; w != nil {
			w.held = h
			continue
		}
		w := &writer{held: h, stop: make(chan struct{}), done: make(chan struct{}), seq: placement.None}
		r.shards[s] = w
		r.wg.Go(func() { r.write(w) })
	}
	if len(gone) > 0 {
		select {
		case r.beatNow <- struct{}{}:
		default:
		}
	}
	return nil
}

// Load implements Runner.
func (r *runner) Load() map[topology.Shard]float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	load := map[topology.Shard]float64{}
	for s := range r.shards {
		load[s] = r.load[s]
	}
	return load
}

// write opens a shard and writes it until it is stopped.
func (r *runner) write(w *writer) {
	defer close(w.done)
	for pause := writeEvery; ; {
		select {
		case <-time.After(pause):
		case <-w.stop:
			return
		}
		pause = writeEvery
		if !r.once(w) {
			pause = 500 * time.Millisecond // fenced, or another registered: it tries again while it is wanted
		}
	}
}

func (r *runner) once(w *writer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.kafka
	k.mu.Lock()
	defer k.mu.Unlock()
	s := w.held.Shard
	switch {
	case r.killed || k.down:
		return true
	case w.epoch == 0 && k.last(s) != w.held.Over && k.last(s) != w.seq:
		return false
	case w.epoch == 0:
		k.epochs[s]++
		w.epoch, w.seq = k.epochs[s], int64(len(k.log))
		k.log = append(k.log, note{node: r.node, shard: s, epoch: w.held.Epoch})
	case w.epoch != k.epochs[s]:
		w.epoch, w.runs = 0, false
		return false
	default:
		w.runs = true
		k.writes[s] = append(k.writes[s], write{r.node, time.Now()})
	}
	return true
}

func (r *runner) beats() {
	for {
		r.beat()
		select {
		case <-time.After(time.Second):
		case <-r.beatNow:
		case <-r.stop:
			return
		}
	}
}

func (r *runner) beat() {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := note{node: r.node, beat: true, released: map[topology.Shard]int64{}}
	for s, w := range r.shards {
		if w.runs {
			n.progress = append(n.progress, s)
		}
	}
	maps.Copy(n.released, r.released)
	r.kafka.mu.Lock()
	defer r.kafka.mu.Unlock()
	if !r.killed && !r.kafka.down {
		r.kafka.log = append(r.kafka.log, n)
	}
}

// reads keeps the view of Liveness.
func (r *runner) reads() {
	for next := 0; ; {
		next = r.read(next)
		select {
		case <-time.After(readEvery):
		case <-r.stop:
			return
		}
	}
}

func (r *runner) read(next int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kafka.mu.Lock()
	defer r.kafka.mu.Unlock()
	if r.kafka.down || r.killed || r.desired.Topology == nil {
		return next
	}
	now := time.Now()
	for ; next < len(r.kafka.log); next++ {
		if n := r.kafka.log[next]; n.beat {
			r.view.Beat(n.node, n.progress, n.released, now)
		} else {
			r.view.Registered(n.shard, n.node, n.epoch, int64(next), now)
		}
	}
	first := r.view.ReadAt.IsZero()
	r.view.Read(now)
	for w := range r.watchers {
		if first {
			select {
			case w <- struct{}{}:
			default:
			}
		}
	}
	return next
}

// View implements Liveness: one registry stands for all destinations.
func (r *runner) View() map[topology.Alias]placement.Kafka {
	r.mu.Lock()
	defer r.mu.Unlock()
	views := map[topology.Alias]placement.Kafka{}
	if r.desired.Topology == nil {
		return views
	}
	for alias := range r.desired.Topology.Clusters {
		views[alias] = r.view.Clone()
	}
	return views
}

// Watch implements Liveness.
func (r *runner) Watch() (<-chan struct{}, func()) {
	w := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers[w] = struct{}{}
	return w, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watchers, w)
	}
}

// kill ends the runner as a kill of the process does: from one moment to the next, and without a word.
func (r *runner) kill() {
	r.mu.Lock()
	r.killed = true
	shards := r.shards
	r.shards = map[topology.Shard]*writer{}
	r.mu.Unlock()
	for _, w := range shards {
		close(w.stop)
	}
	close(r.stop)
	r.wg.Wait()
}

// running returns how many shards the runner is told to run.
func (r *runner) running(t *testing.T) int {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.desired.Held)
}
