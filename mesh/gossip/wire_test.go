package gossip

import (
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/meshd/meshd/topology"
)

// A probe that memberlist has under way when it is shut down ends by itself when its time is up.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).probeNode"),
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).handleIndirectPing.func2"))
}

// wire is a network in memory that can be cut and loses packets. It works in a synctest bubble.
type wire struct {
	mu   sync.Mutex
	ends map[string]*end
	cut  func(from, to string) bool // by address; nil: whole
	loss float64
	rnd  *rand.Rand
}

func newWire() *wire { return &wire{ends: map[string]*end{}, rnd: rand.New(rand.NewPCG(1, 2))} }

func (w *wire) reach(from, to string, packet bool) *end {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut != nil && w.cut(from, to) || packet && w.rnd.Float64() < w.loss {
		return nil
	}
	return w.ends[to]
}

func (w *wire) set(cut func(from, to string) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

// end is a node's transport on a wire.
type end struct {
	wire    *wire
	address string
	packets chan *memberlist.Packet
	streams chan net.Conn
}

func (w *wire) attach(address string) *end {
	e := &end{wire: w, address: address, packets: make(chan *memberlist.Packet, 100), streams: make(chan net.Conn, 10)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[address] = e
	return e
}

type at string

func (at) Network() string  { return "wire" }
func (a at) String() string { return string(a) }

const latency = time.Millisecond

func (e *end) WriteToAddress(b []byte, to memberlist.Address) (time.Time, error) {
	sent := time.Now()
	if other := e.wire.reach(e.address, to.Addr, true); other != nil {
		p := &memberlist.Packet{Buf: append([]byte(nil), b...), From: at(e.address), Timestamp: sent.Add(latency)}
		time.AfterFunc(latency, func() {
			select {
			case other.packets <- p:
			default: // as UDP
			}
		})
	}
	return sent, nil
}

func (e *end) DialAddressTimeout(to memberlist.Address, timeout time.Duration) (net.Conn, error) {
	other := e.wire.reach(e.address, to.Addr, false)
	if other == nil {
		<-time.After(timeout)
		return nil, errors.New("no route")
	}
	here, there := net.Pipe()
	select {
	case other.streams <- there:
		return here, nil
	default:
		return nil, errors.New("backlog full")
	}
}

func (e *end) WriteTo(b []byte, to string) (time.Time, error) {
	return e.WriteToAddress(b, memberlist.Address{Addr: to})
}

func (e *end) DialTimeout(to string, timeout time.Duration) (net.Conn, error) {
	return e.DialAddressTimeout(memberlist.Address{Addr: to}, timeout)
}

func (e *end) FinalAdvertiseAddr(ip string, port int) (net.IP, int, error) {
	return net.ParseIP(ip), port, nil
}

func (e *end) PacketCh() <-chan *memberlist.Packet { return e.packets }
func (e *end) StreamCh() <-chan net.Conn           { return e.streams }

func (e *end) Shutdown() error {
	e.wire.mu.Lock()
	defer e.wire.mu.Unlock()
	if e.wire.ends[e.address] == e {
		delete(e.wire.ends, e.address)
	}
	return nil
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

func (h *host) start(t *testing.T, w *wire) {
	t.Helper()
	if w != nil {
		h.cfg.Transport = w.attach(h.cfg.Advertise)
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

func (h *host) counter(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := h.cfg.Metrics.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
