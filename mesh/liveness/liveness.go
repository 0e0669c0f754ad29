package liveness

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

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
	followers map[topology.Alias]*follower
	listeners map[chan struct{}]struct{}
}

// New makes one that follows nothing yet.
func New(d *kafka.Dialer, log *slog.Logger) *Liveness {
	return &Liveness{dialer: d, log: log, followers: map[topology.Alias]*follower{}, listeners: map[chan struct{}]struct{}{}}
}

// Follow follows the destinations of a topology from now on, and no others. What is known of those that stay as they were is kept.
// Calls must not overlap.
func (l *Liveness) Follow(t *topology.Topology) {
	home := map[topology.Alias]topology.Cluster{}
	for a, c := range t.Clusters {
		if c.Datacenter == l.dialer.Datacenter && !c.ReadOnly {
			home[a] = c
		}
	}
	l.stop(func(f *follower) bool {
		c, listed := home[f.config.Alias]
		return !listed || !reflect.DeepEqual(c, f.config)
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	for a, c := range home {
		if l.followers[a] == nil {
			l.followers[a] = l.begin(c)
		}
	}
}

// Close follows nothing any more.
func (l *Liveness) Close() { l.stop(func(*follower) bool { return true }) }

func (l *Liveness) begin(c topology.Cluster) *follower {
	ctx, cancel := context.WithCancel(context.Background())
	f := &follower{of: l, config: c, cancel: cancel, last: placement.None}
	f.done.Go(func() { f.run(ctx) })
	return f
}

func (l *Liveness) stop(which func(*follower) bool) {
	var gone []*follower
	l.mu.Lock()
	for a, f := range l.followers {
		if which(f) {
			gone = append(gone, f)
			delete(l.followers, a)
		}
	}
	l.mu.Unlock()
	for _, f := range gone {
		f.cancel()
	}
	for _, f := range gone {
		f.done.Wait()
	}
}

// View implements mesh.Liveness.
func (l *Liveness) View() map[topology.Alias]placement.Kafka {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[topology.Alias]placement.Kafka, len(l.followers))
	for a, f := range l.followers {
		if !f.shown.ReadAt.IsZero() {
			out[a] = f.shown.Clone()
		}
	}
	return out
}

// Troubles are the clusters that can't be read now, and why. Nothing is opened there.
func (l *Liveness) Troubles() map[topology.Alias]error {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[topology.Alias]error{}
	for a, f := range l.followers {
		if f.trouble != nil {
			out[a] = f.trouble
		}
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

// tell shows what a follower read, or why it could not, and wakes the listeners if a registration or a release is new.
func (l *Liveness) tell(f *follower, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.say(f, err)
	if f.trouble = err; err != nil {
		return
	}
	news := f.shown.ReadAt.IsZero()
	newest := f.last
	for shard, h := range f.view.Holders {
		newest = max(newest, h.Seq)
		news = news || h.Released && !f.shown.Holders[shard].Released
	}
	f.shown = f.view.Clone()
	if newest == f.last && !news {
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

// say logs that a cluster can't be read, or can be again, where that is news.
func (l *Liveness) say(f *follower, err error) {
	log := l.log.With(slog.String("cluster", string(f.config.Alias)))
	if err == nil {
		if f.trouble != nil {
			log.Info("cluster can be used again")
		}
		return
	}
	r := kafka.Explain(err, kafka.ClusterUnreachable)
	if f.trouble == nil || !kafka.Alike(kafka.Explain(f.trouble, kafka.ClusterUnreachable), r) {
		log.Warn("cluster can't be used", slog.String("reason", r.Code), slog.String("text", r.Text), slog.String("hint", r.Hint))
	}
}
