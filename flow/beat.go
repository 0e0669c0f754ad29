package flow

import (
	"maps"
	"sync"
	"time"

	"github.com/meshd/meshd/topology"
)

// Turning is what a node says of itself at one destination: which shards turn, and which registrations it let go of.
type Turning struct {
	Progress []topology.Shard
	Released map[topology.Shard]int64
}

// stillAfter is for how long a shard may go without turning before it is not said to make progress.
const stillAfter = 3 * time.Second

// Turning is what there is to say at each destination of this node.
func (m *Manager) Turning() map[topology.Alias]Turning {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[topology.Alias]Turning{}
	for id, seq := range m.released.all() {
		t := out[id.Destination]
		if t.Released == nil {
			t.Released = map[topology.Shard]int64{}
		}
		t.Released[id] = seq
		out[id.Destination] = t
	}
	for tp, p := range m.flows {
		t := out[tp.Destination]
		p.turning(&t)
		out[tp.Destination] = t
	}
	return out
}

func (p *inflow) turning(t *Turning) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.shards {
		if r.turns() {
			t.Progress = append(t.Progress, r.id)
		}
	}
}

// Written is how many bytes each running shard has written since it was opened.
func (m *Manager) Written() map[topology.Shard]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[topology.Shard]int64{}
	for _, p := range m.flows {
		p.mu.Lock()
		for _, r := range p.shards {
			out[r.id] = r.bytes()
		}
		p.mu.Unlock()
	}
	return out
}

func (s *shard) bytes() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		p.mu.Lock()
		n += p.stats.Bytes
		p.mu.Unlock()
	}
	return n
}

func (s *shard) turns() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == Streaming && time.Since(s.turned) < stillAfter
}

// releases are the registrations by which shards were held that are not any more. A shard that was fenced, or could not save its
// last place, is let go of all the same: it writes no more.
type releases struct {
	mu sync.Mutex
	by map[topology.Shard]int64
}

func (r *releases) note(gone []*running) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = map[topology.Shard]int64{}
	}
	for _, x := range gone {
		x.mu.Lock()
		if x.seq >= 0 {
			r.by[x.id] = x.seq
		}
		x.mu.Unlock()
	}
}

func (r *releases) all() map[topology.Shard]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.by)
}
