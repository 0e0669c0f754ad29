package mesh

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/mesh/gossip"
	"github.com/meshd/meshd/raftstore"
	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

// Offer is a topology that this node heard of and does not run, or one that it ran and another took the place of unseen.
type Offer struct {
	Stamp topology.Stamp
	From  string // a node, a file, or raft
	Why   string
	Hint  string
}

const (
	topologyFile = "topology"
	maxOffers    = 10
)

// keeper has the topology that runs here, the highest valid one that this node heard of. It is on the disk before anybody sees it.
type keeper struct {
	dir    *raftstore.Dir
	log    *slog.Logger
	notify func() // after a change; must not wait

	current atomic.Pointer[running] // read under locks of others, so never waited for

	mu     sync.Mutex      // of a change
	offers []Offer         // the last ones, each once
	known  map[string]bool // encoded topologies that were looked at and not taken
}

// running is a topology and what is made of it. It does not change.
type running struct {
	topology *topology.Topology
	encoded  []byte
	peers    map[string]gossip.Peer
}

func newRunning(t *topology.Topology) *running {
	r := &running{topology: t, encoded: t.Encode(), peers: make(map[string]gossip.Peer, len(t.Nodes))}
	for name, n := range t.Nodes {
		r.peers[name] = gossip.Peer{Datacenter: n.Datacenter, Address: n.Gossip}
	}
	return r
}

// openKeeper begins with the topology on the disk, or the file's if that is higher.
func openKeeper(dir *raftstore.Dir, file *topology.Topology, log *slog.Logger, notify func()) (*keeper, error) {
	k := &keeper{dir: dir, log: log, notify: notify, known: map[string]bool{}}
	k.current.Store(&running{})
	raw, err := dir.ReadFile(topologyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return k, k.take(file)
	case err != nil:
		return nil, fmt.Errorf("reading the last topology: %w", err)
	}
	last, err := decode(topologyFile, raw)
	if err != nil { // an older release reads what a newer one wrote; the file it can read
		k.report(Offer{From: "the data directory", Why: err.Error(), Hint: "run the release that wrote it, or raise the version of the file"})
		return k, k.take(file)
	}
	k.current.Store(newRunning(last))
	if err := k.offer(file, "the file"); err != nil {
		log.Warn("the topology file is not what runs", slog.Any("error", err))
	}
	return k, nil
}

func (k *keeper) get() *running { return k.current.Load() }

func (k *keeper) reported() []Offer {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.offers)
}

// offer takes a topology from a person: as a file, or over the admin API. It must be newer than what runs, and is then made from that.
func (k *keeper) offer(t *topology.Topology, from string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.get().topology
	if t.Stamp() == now.Stamp() {
		return nil
	}
	o := Offer{Stamp: t.Stamp(), From: from}
	if o.Why, o.Hint = t.Follows(now); o.Why == "" {
		if err := loop.ReviewTopology(t).Err(); err != nil {
			o.Why = err.Error()
		}
	}
	if o.Why != "" {
		k.report(o)
		return fmt.Errorf("topology %s from %s: %s", o.Stamp, from, o.Why)
	}
	if t.Parent == "" {
		t = t.WithParent(now.Hash())
	}
	return k.take(t)
}

// decode reads a topology of another node, or of an earlier run, and refuses what this release would not carry out.
func decode(from string, encoded []byte) (*topology.Topology, error) {
	t, err := topology.Decode(from, encoded)
	if err != nil {
		return nil, err
	}
	if err := loop.ReviewTopology(t).Err(); err != nil {
		return nil, err
	}
	return t, nil
}

// hear takes a topology that runs elsewhere in the mesh: the highest wins, wherever it comes from.
func (k *keeper) hear(from string, encoded []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if string(encoded) == string(k.get().encoded) || k.known[string(encoded)] {
		return
	}
	if len(k.known) >= maxOffers {
		clear(k.known)
	}
	k.known[string(encoded)] = true
	t, err := decode(from, encoded)
	if err != nil {
		k.report(Offer{From: from, Why: err.Error(), Hint: "this node is older than the one that took it, or it was changed on the way"})
		return
	}
	k.weigh(t, from)
}

func (k *keeper) weigh(t *topology.Topology, from string) {
	now := k.get().topology
	forked := state.NewTopology(t).Forked(state.NewTopology(now))
	switch {
	case t.Mesh != now.Mesh:
		k.report(Offer{Stamp: t.Stamp(), From: from, Why: fmt.Sprintf("it is of the mesh %s, this is %s", t.Mesh, now.Mesh)})
	case !topology.Newer(t, now):
		if forked {
			k.report(lost(t, now, from))
		}
	default:
		if forked {
			k.report(lost(now, t, "this node"))
		}
		if err := k.take(t); err != nil {
			k.log.Error("taking up a topology", slog.String("from", from), slog.Any("error", err))
		}
	}
}

// lost is the alarm for an edit that was made on one side of a cut while another was made on the other.
func lost(loser, winner *topology.Topology, from string) Offer {
	return Offer{
		Stamp: loser.Stamp(), From: from,
		Why:  fmt.Sprintf("it was made beside version %s, not from it; that one has won everywhere, and this edit is lost", winner.Stamp()),
		Hint: "make the edit again, from what runs",
	}
}

// take makes a topology the one that runs. The lock is held, or nobody else is there yet.
func (k *keeper) take(t *topology.Topology) error {
	next := newRunning(t)
	if err := k.dir.WriteFile(topologyFile, next.encoded); err != nil {
		return fmt.Errorf("keeping the topology: %w", err)
	}
	k.log.Info("topology", slog.Int64("version", t.Version), slog.String("hash", t.Hash()), slog.String("before", k.get().topology.Stamp().String()))
	k.current.Store(next)
	k.notify()
	return nil
}

// report keeps an offer for whoever asks, and logs it the first time.
func (k *keeper) report(o Offer) {
	if slices.ContainsFunc(k.offers, func(p Offer) bool { return p.Stamp == o.Stamp && p.Why == o.Why }) {
		return
	}
	k.log.Warn("a topology that is not taken", slog.String("topology", o.Stamp.String()), slog.String("from", o.From),
		slog.String("why", o.Why), slog.String("hint", o.Hint))
	k.offers = append(k.offers, o)
	k.offers = k.offers[max(0, len(k.offers)-maxOffers):]
	slices.SortStableFunc(k.offers, func(a, b Offer) int { return b.Stamp.Compare(a.Stamp) })
}
