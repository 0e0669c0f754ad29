package flow

import (
	"sync"
	"sync/atomic"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// registered is who writes at a cluster that is read from, as far as its registry was read. Who is not in it is known behind a barrier: the
// registry is read when somebody meets a producer id that it does not know, once for all who do.
type registered struct {
	cluster *kafka.Cluster
	topics  *checkpoint.Topics // of the one that reads, as the next
	table   *checkpoint.Writers
	tick    atomic.Int64

	mu      sync.Mutex
	writers *loop.Writers
	known   map[int64]checkpoint.Writer
	origins *loop.Origins // never changed, but replaced
	waiting []func(error)
	reading bool
	rebuilt map[string]bool // the times that the registries were made again, as far as that was heard of
	renew   bool            // the next reading begins anew
}

func newRegistered(c *kafka.Cluster) *registered {
	return &registered{
		rebuilt: map[string]bool{}, cluster: c, topics: checkpoint.NewTopics(c), table: checkpoint.NewWriters(c), writers: loop.NewWriters(), known: map[int64]checkpoint.Writer{}, origins: new(loop.Origins),
	}
}

// fetched is the tick of an answer that has arrived.
func (r *registered) fetched() loop.Tick { return loop.Tick(r.tick.Add(1)) }

// with calls f with what is known. Nobody else may use it meanwhile.
func (r *registered) with(f func(*loop.Writers, *loop.Origins)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.writers, r.origins)
}

// number is the number of a cluster here.
func (r *registered) number(id loop.ClusterID) loop.Origin {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.numberOf(id)
}

// numberOf is called with the lock held.
func (r *registered) numberOf(id loop.ClusterID) loop.Origin {
	if n, ok := r.origins.Find([]byte(id)); ok {
		return n
	}
	more := new(loop.Origins)
	for n := range r.origins.Len() {
		more.Number(r.origins.ID(loop.Origin(n)))
	}
	r.origins = more
	return more.Number(id)
}

// clusters tells which cluster each alias stood for when its writers registered.
func (r *registered) clusters(tell func(topology.Alias, string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.known {
		tell(w.Origin, w.OriginID)
	}
}

// idOf is the cluster id of an origin, as a writer of its records registered it; "" if none did.
func (r *registered) idOf(origin topology.Alias) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.known {
		if w.Origin == origin {
			return w.OriginID
		}
	}
	return ""
}

// originOf is the cluster whose records the writer with a producer id writes, as far as that is known.
func (r *registered) originOf(id int64) (of loop.ClusterID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w, ok := r.known[id]; ok {
		of, _ = loop.NewClusterID(w.OriginID) // it was taken apart when it was read
	}
	return of
}
