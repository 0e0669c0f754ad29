package admin

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

const (
	lookEvery  = time.Second
	lookSeldom = 5 * time.Second
)

// Watch looks at the data path again and again, and remembers what a single look can't tell.
type Watch struct {
	flows      Flows
	topologies Topologies // nil: not known here

	mu      sync.Mutex
	tracker *tracker
}

// View is what a look found. It belongs to whoever looked.
type View struct {
	At         time.Time
	Topology   *topology.Topology // nil: none was accepted yet, or it is not known here
	Clusters   []flow.ClusterStatus
	Links      []LinkStatus // of the topology, also those that run elsewhere
	Flows      []FlowStatus
	Problems   []Problem
	Errors     map[string]uint64 // code of a reason -> how often something came to have it
	Memory     int64             // bytes of records in flight
	notReady   []string
	topologies bool
}

// NewWatch makes a watch over the data path; t may be nil.
func NewWatch(f Flows, t Topologies) *Watch {
	return &Watch{flows: f, topologies: t, tracker: newTracker()}
}

// Run looks once a second until ctx ends, or less often where there is so much to look at that it would take more than a hundredth of the
// time. It makes nothing of it that nobody reads.
func (w *Watch) Run(ctx context.Context) {
	for {
		began := time.Now()
		w.mu.Lock()
		w.look()
		w.mu.Unlock()
		next := time.NewTimer(pause(time.Since(began)))
		select {
		case <-next.C:
		case <-ctx.Done():
			next.Stop()
			return
		}
	}
}

// pause is how long to wait after a look that took so long.
func pause(took time.Duration) time.Duration { return min(max(lookEvery, 100*took), lookSeldom) }

// Look looks now.
func (w *Watch) Look() View {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, s := w.look()
	v.Errors = maps.Clone(w.tracker.errors)
	v.Flows = w.tracker.flows(v.At, s)
	v.notReady = notReady(s, v)
	return v
}

// look is a look without its flows, which are most of it. It is called with the lock held.
func (w *Watch) look() (View, flow.Status) {
	now := time.Now()
	var current *topology.Topology
	if w.topologies != nil {
		current = w.topologies.Topology().Current
	}
	s := w.flows.Status()
	w.tracker.look(now, s, current)
	v := View{
		At: now, Topology: current, Clusters: s.Clusters, Memory: s.Memory, topologies: w.topologies != nil,
	}
	v.Links = w.tracker.links(now, s, current)
	v.Problems = problems(s, v.Links)
	if v.topologies && current == nil {
		v.Problems = append(v.Problems, Problem{
			Level: LevelCritical, Where: "topology", Code: noTopology, Text: "none was accepted yet, so nothing runs", Count: 1, Of: "topology",
			Hint: "name a file with --topology, or see whether this node reaches the others",
		})
	}
	w.tracker.date(now, v.Problems)
	return v, s
}

// Ready says whether the node does what it is there for: it has a topology, and the topics of all that it holds have been looked at.
// If not, reasons say why.
func (v View) Ready() (ready bool, reasons []string) { return len(v.notReady) == 0, v.notReady }

func notReady(s flow.Status, v View) (out []string) {
	if v.topologies && v.Topology == nil {
		out = append(out, "no topology was accepted yet")
	}
	for _, p := range s.Pairs {
		switch {
		case p.Ready:
		case p.Reason != nil:
			out = append(out, pairOf(p).String()+": "+p.Reason.Error())
		default:
			out = append(out, pairOf(p).String()+": its topics are being looked at")
		}
	}
	return out
}
