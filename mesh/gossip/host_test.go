package gossip

import (
	"log/slog"
	"maps"
	"strconv"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/meshd/meshd/mesh/gossip/lossy"
	"github.com/meshd/meshd/topology"
)

// A probe that memberlist has under way when it is shut down ends by itself when its time is up.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).probeNode"),
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).handleIndirectPing.func2"))
}

// host is a node of a test.
type host struct {
	*Gossip
	cfg Config

	mu    sync.Mutex
	peers map[string]Peer
	meta  Meta
	doc   []byte
	load  map[topology.Shard]float64
	heard []string // from whom, and what
}

func (h *host) Peers() map[string]Peer {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.peers)
}

func (h *host) Meta() Meta {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.meta
}

func (h *host) Topology() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.doc
}

// Hear takes what is higher, as a node does.
func (h *host) Hear(from string, encoded []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, from+" "+string(encoded))
	if version, _ := strconv.ParseInt(string(encoded), 10, 64); version > h.meta.Topology.Version {
		h.meta.Topology.Version, h.doc = version, encoded
	}
}

func (h *host) Load() map[topology.Shard]float64 { return h.load }

func (h *host) change(f func(h *host)) {
	h.mu.Lock()
	f(h)
	h.mu.Unlock()
	h.Update()
}

// state returns what the node knows of another.
func (h *host) state(name string) State {
	for _, m := range h.Members() {
		if m.Name == name {
			return m.State
		}
	}
	return Unknown
}

// newHosts returns nodes, not started, that list each other. Names are datacenter-number, as in "us-1".
func newHosts(names ...string) map[string]*host {
	peers, hosts := map[string]Peer{}, map[string]*host{}
	for i, name := range names {
		peers[name] = Peer{Datacenter: name[:2], Address: "10.0.0." + strconv.Itoa(i+1) + ":7946"}
	}
	for _, name := range names {
		hosts[name] = &host{
			peers: peers, meta: Meta{Datacenter: name[:2], Topology: topology.Stamp{Version: 1}, Raft: name + ":7947"}, doc: []byte("1"),
			cfg: Config{Node: name, Datacenter: name[:2], Mesh: "m", Advertise: peers[name].Address, Log: slog.New(slog.DiscardHandler)},
		}
	}
	return hosts
}

func (h *host) start(t *testing.T, w *lossy.Network) {
	t.Helper()
	if w != nil {
		h.cfg.Transport = w.Attach(h.cfg.Advertise)
	}
	h.cfg.Metrics = prometheus.NewRegistry()
	var err error
	if h.Gossip, err = Start(h.cfg, h); err != nil {
		t.Fatal(err)
	}
}

func (h *host) stop(t *testing.T) {
	t.Helper()
	if h.Gossip == nil {
		return
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	h.Gossip = nil
}

// refusedFor returns what was refused for a reason, "" for any.
func (h *host) refusedFor(t *testing.T, reason string) (sum float64) {
	t.Helper()
	families, err := h.cfg.Metrics.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "meshd_gossip_refused_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if reason == "" || m.GetLabel()[0].GetValue() == reason {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
