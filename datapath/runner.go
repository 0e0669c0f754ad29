package datapath

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/groupsync"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// Runner runs what a node holds.
type Runner struct {
	cfg     flow.Config
	Manager *flow.Manager

	loads sync.Mutex
	load  load

	mu    sync.Mutex
	topo  *topology.Topology
	hash  string
	syncs map[topology.Alias]*syncing
	alive context.CancelFunc // ends the beats
	kicks []chan struct{}    // a beat is due now
	wg    sync.WaitGroup
}

// syncing is a group syncer with its goroutine and its clients.
type syncing struct {
	*groupsync.Syncer
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	clusters []*kafka.Cluster
}

// New makes a runner that runs nothing yet.
func New(cfg flow.Config) *Runner {
	return &Runner{cfg: cfg, Manager: flow.NewManager(cfg), syncs: map[topology.Alias]*syncing{}}
}

// Apply makes what runs be what is held: the whole set, every time. See flow.Manager.Apply.
func (r *Runner) Apply(t *topology.Topology, held []flow.Held) error {
	err := r.Manager.Apply(t, held)
	r.mu.Lock()
	defer r.mu.Unlock()
	lead := leads(t, held)
	for a, s := range r.syncs {
		if !lead[a] || r.hash != t.Hash() {
			s.stop()
			delete(r.syncs, a)
		}
	}
	if r.hash != t.Hash() {
		r.beatEverywhere(t)
	}
	r.hash, r.topo = t.Hash(), t
	for _, kick := range r.kicks { // what was let go of is told at once: somebody waits for it
		select {
		case kick <- struct{}{}:
		default:
		}
	}
	for a := range lead {
		if r.syncs[a] != nil {
			continue
		}
		s, serr := r.start(t, a)
		if serr != nil {
			err = errors.Join(err, serr)
			continue
		}
		r.syncs[a] = s
	}
	return err
}

// Groups is what the syncers of this node found.
func (r *Runner) Groups() []groupsync.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []groupsync.Status
	for _, s := range r.syncs {
		out = append(out, s.Status())
	}
	slices.SortFunc(out, func(a, b groupsync.Status) int { return strings.Compare(string(a.Home), string(b.Home)) })
	return out
}

// Close stops syncing, then drains and stops copying: a group is not placed by maps that nobody completes.
func (r *Runner) Close() {
	r.mu.Lock()
	for a, s := range r.syncs {
		s.stop()
		delete(r.syncs, a)
	}
	alive := r.alive
	r.mu.Unlock()
	r.Manager.Close()
	if alive != nil {
		alive() // to the last, so that nobody takes over what is still being drained
	}
	r.wg.Wait()
}

// beatEverywhere begins the beats at all clusters of this node's datacenter, instead of those of the topology before.
func (r *Runner) beatEverywhere(t *topology.Topology) {
	if r.alive != nil {
		r.alive()
		r.wg.Wait()
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.alive, r.kicks = cancel, nil
	for a, c := range t.Clusters {
		if c.Datacenter == r.cfg.Dialer.Datacenter && !c.ReadOnly {
			kick := make(chan struct{}, 1)
			r.kicks = append(r.kicks, kick)
			r.wg.Go(func() { r.beats(ctx, t, a, kick) })
		}
	}
}

func (s *syncing) stop() {
	s.cancel()
	s.wg.Wait()
	s.close()
}

func (s *syncing) close() {
	for _, c := range s.clusters {
		c.Close()
	}
}

// leads are the destinations whose groups this node syncs: it holds the first shard of the first pair that ends there.
func leads(t *topology.Topology, held []flow.Held) map[topology.Alias]bool {
	first := map[topology.Alias]topology.Alias{}
	for p, l := range t.Pairs() {
		if !l.Settings.SyncGroups || l.Paused {
			continue
		}
		if now, ok := first[p.Destination]; !ok || p.Source < now {
			first[p.Destination] = p.Source
		}
	}
	out := map[topology.Alias]bool{}
	for _, h := range held {
		if src, ok := first[h.Destination]; ok && h.Origin == src && h.Number == 0 {
			out[h.Destination] = true
		}
	}
	return out
}

func (r *Runner) start(t *topology.Topology, home topology.Alias) (*syncing, error) {
	s := &syncing{}
	cfg := groupsync.Config{Mesh: t.Mesh, Every: t.Intervals.Groups, Log: r.cfg.Log.With(slog.String("part", "groups"))}
	var err error
	if cfg.Home, err = r.member(t, home, nil, s); err != nil {
		return nil, err
	}
	for p, l := range t.Pairs() {
		if p.Destination != home {
			continue
		}
		m, err := r.member(t, p.Source, l, s)
		if err != nil {
			return nil, err
		}
		cfg.Peers = append(cfg.Peers, m)
	}
	s.Syncer = groupsync.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.wg.Go(func() { s.Run(ctx) })
	return s, nil
}

func (r *Runner) member(t *topology.Topology, a topology.Alias, l *topology.Link, s *syncing) (groupsync.Member, error) {
	c, err := r.cfg.Dialer.Dial(t.Clusters[a], checkpoint.TableWriter()...)
	if err != nil {
		s.close()
		return groupsync.Member{}, err
	}
	s.clusters = append(s.clusters, c)
	m := groupsync.Member{Alias: a, Cluster: c, Link: l}
	for _, p := range t.Inflows() {
		if p.Destination == a {
			m.Origins = append(m.Origins, p.Source)
		}
	}
	return m, nil
}
