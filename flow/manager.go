package flow

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// Config is what a Manager needs to know of its node.
type Config struct {
	Node     string
	Dialer   *kafka.Dialer
	Log      *slog.Logger
	Observer Observer
}

// Held is one shard that this node is to run.
type Held struct {
	topology.Shard
	// Epoch is that of the assignment; it goes into the registration.
	Epoch uint64
	// Over is the Seq of the registration in meshd.writers that this holding goes past; None or Any. The shard is opened while that is its
	// last one, or while that is its own. Told of a later one than its own, it opens anew: somebody else had it in between.
	Over int64
}

// Manager runs the shards that a node holds.
type Manager struct {
	cfg Config

	apply  sync.Mutex // one Apply at a time
	mu     sync.Mutex
	topo   *topology.Topology
	sites  map[topology.Alias]*Site
	dsts   map[topology.Alias]*Destination
	flows  map[topology.Pair]*inflow // by origin and destination
	budget *Budget
	closed map[topology.Alias]error // clusters for which no client could be made

	released releases
}

// NewManager makes a manager that runs nothing yet.
func NewManager(cfg Config) *Manager {
	return &Manager{
		cfg: cfg, sites: map[topology.Alias]*Site{},
		dsts: map[topology.Alias]*Destination{}, flows: map[topology.Pair]*inflow{}, closed: map[topology.Alias]error{},
	}
}

// Apply makes what runs be what is held: the whole set, every time. It stops before it starts, drains what it stops, and
// returns when that is done; what it starts opens in the background. An error means that some pair could not even be set up; the
// others run.
func (m *Manager) Apply(t *topology.Topology, held []Held) error {
	m.apply.Lock()
	defer m.apply.Unlock()
	want := byPair(t, held)
	m.stopOthers(t, want)
	m.mu.Lock()
	m.topo = t
	clear(m.closed)
	if m.budget == nil {
		m.budget = NewBudget(t.Limits.Memory)
	}
	m.mu.Unlock()
	var problems []error
	for tp, shards := range want {
		if err := m.run(t, tp, shards); err != nil {
			problems = append(problems, err)
		}
	}
	m.closeIdle(want)
	if len(problems) > 0 {
		return fmt.Errorf("setting up %d of %d pairs: %w", len(problems), len(want), problems[0])
	}
	return nil
}

func byPair(t *topology.Topology, held []Held) map[topology.Pair]map[int]told {
	want := map[topology.Pair]map[int]told{}
	for _, h := range held {
		p := topology.Pair{Source: h.Origin, Destination: h.Destination}
		if len(waysOf(t, p)) == 0 {
			continue
		}
		if want[p] == nil {
			want[p] = map[int]told{}
		}
		want[p][h.Number] = told{h.Epoch, h.Over}
	}
	return want
}

// stopOthers ends the pairs that are no longer held, or whose topology changed in a way that a running pair can't take up. To the others it
// gives what is new.
func (m *Manager) stopOthers(t *topology.Topology, want map[topology.Pair]map[int]told) {
	m.mu.Lock()
	changed := m.topo != nil && m.topo.Hash() != t.Hash()
	var gone []*inflow
	for tp, p := range m.flows {
		if want[tp] == nil || changed && !goesOn(m.topo, t, tp) {
			gone = append(gone, p)
			delete(m.flows, tp)
		}
	}
	m.mu.Unlock()
	stopAll(gone)
	if changed {
		m.closeIdle(m.running())
	}
}

func stopAll(ps []*inflow) {
	var wg sync.WaitGroup
	for _, p := range ps {
		wg.Go(p.stop)
	}
	wg.Wait()
}

func (m *Manager) run(t *topology.Topology, tp topology.Pair, shards map[int]told) error {
	m.mu.Lock()
	p := m.flows[tp]
	m.mu.Unlock()
	if p == nil {
		var err error
		if p, err = m.newInflow(t, tp); err != nil {
			return err
		}
		p.hold(shards)
		p.start()
		m.mu.Lock()
		m.flows[tp] = p
		m.mu.Unlock()
		return nil
	}
	p.hold(shards)
	return m.renew(t, p)
}

func (m *Manager) newInflow(t *topology.Topology, tp topology.Pair) (*inflow, error) {
	dst, err := m.destination(t, tp.Destination)
	if err != nil {
		return nil, err
	}
	ways, err := m.ways(t, tp)
	if err != nil {
		return nil, err
	}
	return &inflow{
		Pair: tp, mesh: meshOf(t), topo: t, ways: ways, dst: dst, kick: make(chan struct{}, 1), choices: map[string]*chosen{}, given: map[string]given{},
		limits: map[limitKey]*limited{}, shards: map[int]*running{}, topics: map[string]TopicStatus{},
		log: m.cfg.Log.With(slog.String("pair", tp.String())),
		env: &env{
			mesh: t.Mesh, node: m.cfg.Node, intervals: t.Intervals, budget: m.budget,
			released: &m.released, mapBytes: int(t.OffsetMap.MaxBytesPerPartition), observer: m.cfg.Observer,
		},
	}, nil
}

// waysOf are the links over which an origin's records may come to a destination, by the cluster that they lead from.
func waysOf(t *topology.Topology, tp topology.Pair) map[topology.Alias]*topology.Link {
	out := map[topology.Alias]*topology.Link{}
	reached := t.Reachable()[tp.Source]
	for p, l := range t.Pairs() {
		if p.Destination == tp.Destination && !l.Paused && (p.Source == tp.Source || slices.Contains(reached, p.Source)) {
			out[p.Source] = l
		}
	}
	return out
}

// ways opens them, but for what is only needed to read from them.
func (m *Manager) ways(t *topology.Topology, tp topology.Pair) (out []*way, err error) {
	links := waysOf(t, tp)
	for _, a := range slices.Sorted(maps.Keys(links)) {
		site, err := m.site(t, a)
		if err != nil {
			return nil, err
		}
		held := &holdings{view: checkpoint.NewHoldings(site.Control, tp.Source)}
		out = append(out, &way{Site: site, link: links[a], held: held, open: func() (*Source, error) { return openSource(m.cfg.Dialer, t.Clusters[a], site, m.budget) }})
	}
	return out, nil
}

func meshOf(t *topology.Topology) loop.Mesh {
	m := loop.Mesh{Aliases: t.Aliases()}
	for _, l := range t.Pairs() {
		if !slices.Contains(m.Separators, l.Settings.Separator) {
			m.Separators = append(m.Separators, l.Settings.Separator)
		}
	}
	return m
}

func (m *Manager) site(t *topology.Topology, a topology.Alias) (*Site, error) {
	if s := m.sites[a]; s != nil {
		return s, nil
	}
	s, err := openSite(m.cfg.Dialer, t.Clusters[a], t.Intervals)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.closed[a] = err
		return nil, err
	}
	m.sites[a] = s
	return s, nil
}

func (m *Manager) destination(t *topology.Topology, a topology.Alias) (*Destination, error) {
	if d := m.dsts[a]; d != nil {
		return d, nil
	}
	site, err := m.site(t, a)
	if err != nil {
		return nil, err
	}
	d, err := openDestination(m.cfg.Dialer, t.Clusters[a], site)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.dsts[a] = d
	m.mu.Unlock()
	return d, nil
}

// closeIdle closes what no pair uses any more.
func (m *Manager) closeIdle(want map[topology.Pair]map[int]told) {
	used, dsts := map[topology.Alias]bool{}, map[topology.Alias]bool{}
	for tp := range want {
		used[tp.Destination], dsts[tp.Destination] = true, true
	}
	m.mu.Lock()
	for _, p := range m.flows {
		for _, a := range p.reads() {
			used[a] = true
		}
	}
	var closers []func()
	for a, d := range m.dsts {
		if !dsts[a] {
			closers = append(closers, d.close)
			delete(m.dsts, a)
		}
	}
	for a, s := range m.sites {
		if !used[a] {
			closers = append(closers, s.close)
			delete(m.sites, a)
		}
	}
	m.mu.Unlock()
	for _, c := range closers {
		c()
	}
}

// Close drains and stops everything.
func (m *Manager) Close() {
	m.apply.Lock()
	defer m.apply.Unlock()
	m.mu.Lock()
	var all []*inflow
	for tp, p := range m.flows {
		all = append(all, p)
		delete(m.flows, tp)
	}
	m.mu.Unlock()
	stopAll(all)
	m.closeIdle(nil)
}
