package flow

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/topology"
)

// way is a cluster from which a link leads to an inflow's destination: the origin itself, or another one that may have its records. It
// is the inflow's loop's, but for its fetcher.
type way struct {
	*Site
	link   *topology.Link
	open   func() (*Source, error)
	src    *Source // nil: nothing was read from it yet
	held   *holdings
	theirs *checkpoint.Topics
	sync   *metasync.Syncer
	topics map[string][]kafka.Partition
	read   error // of the registry
	err    error // why it can't be used now

	unclaimed error     // why the origin's topics could not be registered there
	claimedAt time.Time // when that was tried last
}

// holdings is what a cluster has of an origin, for all who ask.
type holdings struct {
	mu   sync.Mutex
	view *checkpoint.Holdings
	read time.Time

	shards [topology.Shards]time.Time // when they were read one by one
}

const holdingsFor = time.Second // is how old an answer may be

// refresh reads what is new, and all anew where other notes are there now than those that were read: that they were lost is said where they
// are written.
func (h *holdings) refresh(read func() error) error {
	err := read()
	if wentBack(err) {
		h.view, h.read, h.shards = h.view.Anew(), time.Time{}, [topology.Shards]time.Time{}
		err = read()
	}
	if checkpoint.IsNoTable(err) {
		return nil
	}
	return err
}

// with calls f with what the cluster has, as of a moment ago, and returns its error. Nothing is there where nothing was ever written.
func (h *holdings) with(ctx context.Context, f func(*checkpoint.Holdings) error) error {
	return h.since(ctx, time.Time{}, f)
}

// since is with, of nothing that was read before a time.
func (h *holdings) since(ctx context.Context, at time.Time, f func(*checkpoint.Holdings) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if began := time.Now(); began.Sub(h.read) > holdingsFor || !h.read.After(at) {
		if err := h.refresh(func() error { return h.view.Refresh(ctx) }); err != nil {
			return err
		}
		h.read = began
	}
	return f(h.view)
}

// fresh is with, of one shard's progress as of now.
func (h *holdings) fresh(ctx context.Context, shard int, f func(*checkpoint.Holdings) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.refresh(func() error { return h.view.RefreshShard(ctx, shard) }); err != nil {
		return err
	}
	return f(h.view)
}

// shard is with, of one shard's partitions as of now.
func (h *holdings) shard(ctx context.Context, n int, f func(*checkpoint.Holdings) error) error {
	asked := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if began := time.Now(); !h.shards[n].After(asked) { // who waited has what was read meanwhile
		if err := h.refresh(func() error { return h.view.RefreshPartitions(ctx, n) }); err != nil {
			return err
		}
		h.shards[n] = began
	}
	return f(h.view)
}

// source is what parts read from.
func (w *way) source() (*Source, error) {
	if w.src != nil {
		return w.src, nil
	}
	src, err := w.open()
	if err == nil {
		w.src = src
	}
	return src, err
}

func (w *way) close() {
	if w.src != nil {
		w.src.close()
	}
}

// way is the one over a cluster; nil if no link leads from there to the destination.
func (p *inflow) way(a topology.Alias) *way {
	for _, w := range p.ways {
		if w.Alias == a {
			return w
		}
	}
	return nil
}

// changed is closed when the metadata of one of the ways changed.
func (p *inflow) changed() <-chan struct{} {
	if len(p.ways) == 1 {
		return p.ways[0].Dir.Changed()
	}
	one := make(chan struct{})
	var once sync.Once
	for _, w := range p.ways {
		c := w.Dir.Changed()
		w.aside(func(ctx context.Context) {
			select {
			case <-c:
				once.Do(func() { close(one) })
			case <-one:
			case <-ctx.Done():
			}
		})
	}
	return one
}

// lookAround asks all ways at once who they are and what is there.
func (p *inflow) lookAround(ctx context.Context) {
	var wg sync.WaitGroup
	for _, w := range p.ways {
		wg.Go(func() { w.err = w.look(ctx, p.dst.Site) })
	}
	wg.Wait()
	for _, w := range p.ways {
		if w.err == nil {
			w.err = w.judgeRegistry(ctx, p.own)
		}
	}
}

// look meets the cluster, and reads which topics there are, and then its registry: what meshd makes there meanwhile is in it.
func (w *way) look(ctx context.Context, dst *Site) error {
	if err := w.meet(ctx); err != nil {
		return err
	}
	if w.ID() == dst.ID() {
		return kafka.Reason{Code: kafka.SameCluster, Text: fmt.Sprintf("%s and %s are the same cluster, %s", w.Alias, dst.Alias, w.ID()), Hint: "correct the bootstrap addresses"}
	}
	topics, loaded := w.Dir.Topics()
	if !loaded {
		if err := w.Dir.Refresh(ctx); err != nil {
			return err
		}
		topics, _ = w.Dir.Topics()
	}
	w.topics = topics
	if w.read = w.theirs.Refresh(ctx); wentBack(w.read) { // another one is there now: its birth tells whether it may be
		w.theirs = checkpoint.NewTopics(w.Control)
		w.read = w.theirs.Refresh(ctx)
	}
	w.registered.wasRebuilt(w.theirs.Rebuilt())
	return nil
}

// judgeRegistry says whether the registry of topics is the one that was read before. Without one, the cluster has no topics of meshd's;
// but where there was one before, it is lost, and nothing there can be told apart any more.
func (w *way) judgeRegistry(ctx context.Context, own *checkpoint.Topics) error {
	before, now := own.Seen(w.Alias), w.theirs.Birth()
	switch {
	case w.read == nil && before == "" && now != "":
		return own.Remember(ctx, w.Alias, now)
	case w.read == nil && before == now, checkpoint.IsNoTable(w.read) && before == "":
		return nil
	case w.read == nil || checkpoint.IsNoTable(w.read) || wentBack(w.read):
		return kafka.Because(kafka.RegistryLost, fmt.Sprintf("the registry of cluster %s (%s) is not the one that was read before", w.Alias, checkpoint.TopicsTopic),
			"without it copies can't be told from local topics there; stop the nodes of its datacenter and run meshd registry rebuild --at "+string(w.Alias))
	}
	return w.read
}
