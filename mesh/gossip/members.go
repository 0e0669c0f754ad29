package gossip

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/meshd/meshd/topology"
)

// State is what gossip knows of a node.
type State int

// The states. A node is unknown only for a moment after this node or its name appeared.
const (
	Unknown State = iota
	Alive
	Dead
)

func (s State) String() string { return [...]string{"unknown", "alive", "dead"}[s] }

// Member is another node that the topology lists.
type Member struct {
	Name       string
	Datacenter string // by the topology
	State      State
	Since      time.Time // when this node learnt of the state
	Meta       Meta      // as it said last; zero: never

	at memberlist.Node // a copy: memberlist changes its own without asking
}

// unheard is how long a node may take to be heard of before it counts as dead: joining is tried twice in it, and a node that
// died while this one was down has to be known as dead too.
const unheard = 2 * time.Second

// members is what one pool, or both, say.
type members struct {
	mu       sync.Mutex
	seen     map[key]Member
	listed   map[string]time.Time // since when the topology has listed it
	load     map[string]told
	watchers map[chan struct{}]struct{}
}

type key struct {
	pool kind
	name string
}

type told struct {
	at   time.Time
	load map[topology.Shard]float64
}

func newMembers() *members {
	return &members{seen: map[key]Member{}, listed: map[string]time.Time{}, load: map[string]told{}, watchers: map[chan struct{}]struct{}{}}
}

// note takes what a pool says of a node.
func (m *members) note(pool kind, n memberlist.Node, state State, meta Meta) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := key{pool, n.Name}
	member := m.seen[k]
	if member.State != state {
		member.Since = time.Now()
	}
	member.Name, member.State, member.at = n.Name, state, n
	if meta.Datacenter != "" {
		member.Meta = meta
	}
	m.seen[k] = member
	m.signal()
}

// list returns the listed nodes, of the pool that decides about each: its own datacenter's LAN, or the WAN.
func (m *members) list(peers map[string]Peer, self, datacenter string) []Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(m.listed, func(name string, _ time.Time) bool { return peers[name] == Peer{} })
	var out []Member
	for name, peer := range peers {
		if name == self {
			continue
		}
		if _, ok := m.listed[name]; !ok {
			m.listed[name] = now
		}
		pool := wan
		if peer.Datacenter == datacenter {
			pool = lan
		}
		member, ok := m.seen[key{pool, name}]
		if !ok {
			member = Member{Name: name, Since: m.listed[name]}
			if now.Sub(member.Since) >= unheard {
				member.State, member.Since = Dead, member.Since.Add(unheard)
			}
		}
		member.Datacenter = peer.Datacenter
		out = append(out, member)
	}
	slices.SortFunc(out, func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// highest returns the node of a pool that is alive and runs by the highest topology.
func (m *members) highest(pool kind) (best Member) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, member := range m.seen {
		if k.pool == pool && member.State == Alive && member.Meta.Topology.Compare(best.Meta.Topology) > 0 {
			best = member
		}
	}
	return best
}

func (m *members) alive(pool kind, name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen[key{pool, name}].State == Alive
}

// inPool returns the nodes of a pool that are alive.
func (m *members) inPool(pool kind) (nodes []memberlist.Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, member := range m.seen {
		if k.pool == pool && member.State == Alive {
			nodes = append(nodes, member.at)
		}
	}
	return nodes
}

func (m *members) hear(node string, load map[topology.Shard]float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.load[node] = told{time.Now(), load}
}

// loads returns what the others said of their load lately. A shard that two nodes name, which happens while it moves, counts once.
func (m *members) loads() map[topology.Shard]float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[topology.Shard]float64{}
	for node, t := range m.load {
		if time.Since(t.at) > 5*tellLoad {
			delete(m.load, node)
			continue
		}
		for shard, rate := range t.load {
			all[shard] = max(all[shard], rate)
		}
	}
	return all
}

func (m *members) watch() (<-chan struct{}, func()) {
	w := make(chan struct{}, 1)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watchers[w] = struct{}{}
	return w, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.watchers, w)
	}
}

func (m *members) signal() {
	for w := range m.watchers {
		select {
		case w <- struct{}{}:
		default: // it has yet to take the last one
		}
	}
}
