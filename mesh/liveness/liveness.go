package liveness

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/topology"
)

const (
	lookEvery = 300 * time.Millisecond // well within the second after which a pause counts
	dialEvery = 5 * time.Second        // while the files of its secrets can't be read
	lookFor   = 2 * time.Second        // one look at a cluster
)

// Liveness follows all destinations of a datacenter.
type Liveness struct {
	dialer *kafka.Dialer
	log    *slog.Logger

	mu        sync.Mutex
	hash      string
	cancel    context.CancelFunc
	wg        sync.WaitGroup
	views     map[topology.Alias]placement.Kafka
	troubles  map[topology.Alias]error
	listeners map[chan struct{}]struct{}
}

// New makes one that follows nothing yet.
func New(d *kafka.Dialer, log *slog.Logger) *Liveness {
	return &Liveness{dialer: d, log: log, cancel: func() {}, views: map[topology.Alias]placement.Kafka{}, troubles: map[topology.Alias]error{}, listeners: map[chan struct{}]struct{}{}}
}

// Follow follows the destinations of a topology from now on, instead of those before.
func (l *Liveness) Follow(t *topology.Topology) {
	l.mu.Lock()
	same := l.hash == t.Hash() && l.hash != ""
	l.mu.Unlock()
	if same {
		return
	}
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hash, l.cancel = t.Hash(), cancel
	for _, c := range t.Clusters {
		if c.Datacenter == l.dialer.Datacenter && !c.ReadOnly {
			l.wg.Go(func() { l.follow(ctx, c) })
		}
	}
}

// Close follows nothing any more.
func (l *Liveness) Close() {
	l.mu.Lock()
	l.cancel()
	l.hash = ""
	l.mu.Unlock()
	l.wg.Wait()
}

// View implements mesh.Liveness.
func (l *Liveness) View() map[topology.Alias]placement.Kafka {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[topology.Alias]placement.Kafka, len(l.views))
	for a, k := range l.views {
		out[a] = k.Clone()
	}
	return out
}

// Watch implements mesh.Liveness.
func (l *Liveness) Watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	l.mu.Lock()
	l.listeners[c] = struct{}{}
	l.mu.Unlock()
	return c, func() {
		l.mu.Lock()
		delete(l.listeners, c)
		l.mu.Unlock()
	}
}

// follower follows one cluster.
type follower struct {
	cluster *kafka.Cluster
	made    bool
	writers *checkpoint.Writers
	nodes   *checkpoint.Nodes
	view    placement.Kafka
	now     time.Time
	last    int64 // Seq of the newest registration that was told
}

func (l *Liveness) follow(ctx context.Context, c topology.Cluster) {
	cluster := l.dial(ctx, c)
	if cluster == nil {
		return
	}
	defer cluster.Close()
	f := &follower{cluster: cluster, last: -1}
	f.begin()
	for {
		err := f.look(ctx)
		if ctx.Err() != nil {
			return
		}
		l.trouble(c.Alias, err)
		if err == nil {
			l.publish(c.Alias, f)
		}
		if kafka.Sleep(ctx, lookEvery) != nil {
			return
		}
	}
}

// dial makes the client as soon as the files of its secrets can be read; nil if ctx ended before.
func (l *Liveness) dial(ctx context.Context, c topology.Cluster) *kafka.Cluster {
	for {
		cluster, err := l.dialer.Dial(c, checkpoint.TableWriter()...)
		if err == nil {
			return cluster
		}
		l.trouble(c.Alias, err)
		if kafka.Sleep(ctx, dialEvery) != nil {
			return nil
		}
	}
}

// trouble notes why a cluster can't be read, and says so where that is news.
func (l *Liveness) trouble(a topology.Alias, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.troubles[a]
	switch {
	case err == nil && was == nil:
	case err == nil:
		delete(l.troubles, a)
		l.log.Info("cluster can be used again", slog.String("cluster", string(a)))
	default:
		l.troubles[a] = err
		r := kafka.Explain(err, kafka.ClusterUnreachable)
		if was == nil || !kafka.Alike(kafka.Explain(was, kafka.ClusterUnreachable), r) {
			l.log.Warn("cluster can't be used", slog.String("cluster", string(a)), slog.String("reason", r.Code), slog.String("text", r.Text), slog.String("hint", r.Hint))
		}
	}
}

// Troubles are the clusters that can't be read now, and why. Nothing is opened there.
func (l *Liveness) Troubles() map[topology.Alias]error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.troubles)
}

// begin reads both topics from their beginning again.
func (f *follower) begin() {
	f.writers = checkpoint.NewWriters(f.cluster)
	f.nodes = checkpoint.NewNodes(f.cluster, f.beat)
}

func (f *follower) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	if err := f.make(ctx); err != nil {
		return err
	}
	if err := f.read(ctx); err != nil {
		f.made = false
		f.begin()
		return err
	}
	return nil
}

// read reads writers before nodes: a beat names shards that the reader knows.
func (f *follower) read(ctx context.Context) error {
	if err := f.writers.Refresh(ctx); err != nil {
		return err
	}
	f.now = time.Now()
	for shard, r := range f.writers.Holders() {
		f.view.Registered(shard, r.Node, r.Held, r.Seq, f.now)
	}
	if err := f.nodes.Refresh(ctx); err != nil {
		return err
	}
	f.view.Read(time.Now())
	return nil
}

// make makes the topics once, with the time that leaders of new topics need.
func (f *follower) make(ctx context.Context) error {
	if f.made {
		return nil
	}
	_, brokers, err := f.cluster.Identity(ctx)
	if err == nil {
		err = checkpoint.EnsureOwned(ctx, f.cluster, brokers, 1, checkpoint.WritersTopic, checkpoint.NodesTopic)
	}
	f.made = err == nil
	return err
}

func (f *follower) beat(b checkpoint.Beat) {
	destination := f.cluster.Config.Alias
	var progress []topology.Shard
	for _, key := range b.Progress {
		if s, err := checkpoint.ParseShardKey(key, destination); err == nil {
			progress = append(progress, s)
		}
	}
	released := make(map[topology.Shard]int64, len(b.Released))
	for key, seq := range b.Released {
		if s, err := checkpoint.ParseShardKey(key, destination); err == nil {
			released[s] = seq
		}
	}
	f.view.Beat(b.Node, progress, released, f.now)
}

// publish shows what was read, and wakes the listeners if a registration or a release is new.
func (l *Liveness) publish(a topology.Alias, f *follower) {
	newest := f.last
	for _, h := range f.view.Holders {
		newest = max(newest, h.Seq)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, before := l.views[a]
	l.views[a] = f.view.Clone()
	if newest == f.last && before {
		return
	}
	f.last = newest
	for c := range l.listeners {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
