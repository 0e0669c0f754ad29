package mesh

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/topology"
)

const (
	readEach = 300 * time.Millisecond // it is a quarter of what counts as fresh, and a seventh of what counts as still
	readFor  = 5 * time.Second
)

// Reader is the Liveness of a node: it reads meshd.writers and meshd.nodes at every cluster that the nodes of its datacenter write to,
// at each by itself, for one that does not answer must not hide the others.
type Reader struct {
	dialer *kafka.Dialer
	log    *slog.Logger

	mu       sync.Mutex
	clusters map[topology.Alias]*clusterReader
	watchers map[chan struct{}]struct{}
}

// clusterReader reads one cluster until it is stopped.
type clusterReader struct {
	of     *Reader
	config topology.Cluster
	view   placement.Kafka // under the Reader's lock
	cancel context.CancelFunc
	done   sync.WaitGroup

	// Of the reading goroutine alone:
	writers *checkpoint.Writers
	nodes   *checkpoint.Nodes
	beats   []checkpoint.Beat // read, and not yet told
	there   map[string]bool   // topics that were there once
}

// NewReader makes a reader that reads nothing yet.
func NewReader(dialer *kafka.Dialer, log *slog.Logger) *Reader {
	return &Reader{dialer: dialer, log: log, clusters: map[topology.Alias]*clusterReader{}, watchers: map[chan struct{}]struct{}{}}
}

// Follow reads the clusters of a topology from now on, and no others. One whose address stayed is read on. Calls must not overlap.
func (r *Reader) Follow(t *topology.Topology) {
	home := map[topology.Alias]topology.Cluster{}
	for alias, c := range t.Clusters {
		if c.Datacenter == r.dialer.Datacenter && !c.ReadOnly {
			home[alias] = c
		}
	}
	r.stop(func(c *clusterReader) bool {
		now, listed := home[c.config.Alias]
		return !listed || !reflect.DeepEqual(now, c.config)
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	for alias, config := range home {
		if r.clusters[alias] == nil {
			r.clusters[alias] = r.begin(config)
		}
	}
}

// Close stops reading.
func (r *Reader) Close() { r.stop(func(*clusterReader) bool { return true }) }

func (r *Reader) stop(which func(*clusterReader) bool) {
	var gone []*clusterReader
	r.mu.Lock()
	for alias, c := range r.clusters {
		if which(c) {
			gone = append(gone, c)
			delete(r.clusters, alias)
		}
	}
	r.mu.Unlock()
	for _, c := range gone {
		c.cancel()
		c.done.Wait()
	}
}

func (r *Reader) begin(config topology.Cluster) *clusterReader {
	ctx, cancel := context.WithCancel(context.Background())
	c := &clusterReader{of: r, config: config, cancel: cancel, there: map[string]bool{}}
	c.done.Go(func() { c.run(ctx) })
	return c
}

// run reads again and again. A cluster that can't be read any more only grows stale.
func (c *clusterReader) run(ctx context.Context) {
	log := c.of.log.With(slog.String("cluster", string(c.config.Alias)))
	cluster, err := c.of.dialer.Dial(c.config)
	if err != nil {
		log.Error("reading who writes", slog.Any("error", err))
		return
	}
	defer cluster.Close()
	c.writers = checkpoint.NewWriters(cluster)
	c.nodes = checkpoint.NewNodes(cluster, func(b checkpoint.Beat) { c.beats = append(c.beats, b) })
	failing := false
	for {
		err := c.read(ctx)
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != failing {
			failing = err != nil
			log.Info("reading who writes", slog.Bool("readable", !failing), slog.Any("error", err))
		}
		if kafka.Sleep(ctx, readEach) != nil {
			return
		}
	}
}

func (c *clusterReader) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readFor)
	defer cancel()
	if err := c.refresh(ctx, checkpoint.WritersTopic, c.writers.Refresh); err != nil {
		return err
	}
	if err := c.refresh(ctx, checkpoint.NodesTopic, c.nodes.Refresh); err != nil {
		return err
	}
	if c.tell(time.Now()) {
		c.of.signal()
	}
	return nil
}

// refresh reads one topic. Before the first node ever wrote, there is none; one that was there and is not any more is a registry lost.
func (c *clusterReader) refresh(ctx context.Context, topic string, read func(context.Context) error) error {
	err := read(ctx)
	if err == nil {
		c.there[topic] = true
	} else if errors.Is(err, checkpoint.ErrNoTable) && !c.there[topic] {
		return nil
	}
	return err
}

// tell notes what was read, and says whether a registration is new.
func (c *clusterReader) tell(now time.Time) bool {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	news := c.view.ReadAt.IsZero()
	for shard, h := range c.writers.Holders() {
		if before, ok := c.view.Holders[shard]; !ok || before.Seq != h.Seq {
			c.view.Registered(shard, h.Node, h.Held, h.Seq, now)
			news = true
		}
	}
	for _, b := range c.beats {
		progress, released := c.shards(b)
		c.view.Beat(b.Node, progress, released, now)
		news = news || len(released) > 0
	}
	c.beats = nil
	c.view.Read(now)
	return news
}

// shards reads a beat's names of shards. A name that says nothing to this release is left out.
func (c *clusterReader) shards(b checkpoint.Beat) (progress []topology.Shard, released map[topology.Shard]int64) {
	for _, key := range b.Progress {
		if shard, err := checkpoint.ParseShardKey(key, c.config.Alias); err == nil {
			progress = append(progress, shard)
		}
	}
	released = make(map[topology.Shard]int64, len(b.Released))
	for key, seq := range b.Released {
		if shard, err := checkpoint.ParseShardKey(key, c.config.Alias); err == nil {
			released[shard] = seq
		}
	}
	return progress, released
}

// View implements Liveness.
func (r *Reader) View() map[topology.Alias]placement.Kafka {
	r.mu.Lock()
	defer r.mu.Unlock()
	views := make(map[topology.Alias]placement.Kafka, len(r.clusters))
	for alias, c := range r.clusters {
		views[alias] = c.view.Clone()
	}
	return views
}

// Watch implements Liveness.
func (r *Reader) Watch() (<-chan struct{}, func()) {
	w := newSignal()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers[w] = struct{}{}
	return w, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watchers, w)
	}
}

func (r *Reader) signal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.watchers {
		signal(w).set()
	}
}
