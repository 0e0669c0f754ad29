package gossip

import (
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// labelTimeout is how long a stream may take until it has said to which pool it belongs.
const labelTimeout = 2 * time.Second

// mux deals out what arrives on one transport to several pools, by label. It never waits for a pool: gossip may be lost, and a pool
// that is slow must not hold up another.
type mux struct {
	base    memberlist.NodeAwareTransport
	pools   map[string]*channel // by label
	log     *slog.Logger
	metrics *metrics
	refused *refusals

	done    chan struct{}
	running sync.WaitGroup
	mu      sync.Mutex
	fresh   map[net.Conn]struct{} // streams whose label is being read; nil once closed
}

// channel is the transport of one pool. memberlist itself puts the label on what it sends.
type channel struct {
	memberlist.NodeAwareTransport
	packets chan *memberlist.Packet
	streams chan net.Conn
}

// PacketCh implements memberlist.Transport.
func (c *channel) PacketCh() <-chan *memberlist.Packet { return c.packets }

// StreamCh implements memberlist.Transport.
func (c *channel) StreamCh() <-chan net.Conn { return c.streams }

// Shutdown leaves the transport open: the other pool uses it too.
func (c *channel) Shutdown() error { return nil }

func newMux(base memberlist.NodeAwareTransport, labels []string, log *slog.Logger, m *metrics, r *refusals) *mux {
	x := &mux{base: base, pools: map[string]*channel{}, log: log, metrics: m, refused: r, done: make(chan struct{}), fresh: map[net.Conn]struct{}{}}
	for _, label := range labels {
		x.pools[label] = &channel{NodeAwareTransport: base, packets: make(chan *memberlist.Packet, 256), streams: make(chan net.Conn, 16)}
	}
	x.running.Go(x.loop)
	return x
}

func (x *mux) loop() {
	for {
		select {
		case p := <-x.base.PacketCh():
			x.packet(p)
		case conn := <-x.base.StreamCh():
			x.running.Go(func() { x.stream(conn) })
		case <-x.done:
			return
		}
	}
}

func (x *mux) packet(p *memberlist.Packet) {
	rest, label, err := memberlist.RemoveLabelHeaderFromPacket(p.Buf)
	pool := x.pools[label]
	if err != nil || pool == nil {
		x.refuse(label, p.From)
		return
	}
	p.Buf = rest
	select {
	case pool.packets <- p:
	default:
		x.metrics.dropped.Inc()
	}
}

func (x *mux) stream(conn net.Conn) {
	if !x.hold(conn) {
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(labelTimeout)) // one that has no deadline fails when it is read
	labelled, label, err := memberlist.RemoveLabelHeaderFromStream(conn)
	if !x.letGo(conn) || err != nil {
		_ = conn.Close()
		return
	}
	pool := x.pools[label]
	if pool == nil {
		x.refuse(label, conn.RemoteAddr())
		_ = conn.Close()
		return
	}
	select {
	case pool.streams <- labelled:
	default:
		x.metrics.dropped.Inc()
		_ = conn.Close()
	}
}

func (x *mux) hold(conn net.Conn) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.fresh == nil {
		_ = conn.Close()
		return false
	}
	x.fresh[conn] = struct{}{}
	return true
}

// letGo says whether the mux is still open.
func (x *mux) letGo(conn net.Conn) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.fresh, conn)
	return x.fresh != nil
}

// refuse says whose gossip is not for this node: a mistake in a topology, most often.
func (x *mux) refuse(label string, from net.Addr) {
	reason := "unlabelled"
	if rest, ok := strings.CutPrefix(label, "meshd/"); ok {
		reason = "mesh"
		for own := range x.pools {
			if mesh, _, _ := strings.Cut(strings.TrimPrefix(own, "meshd/"), "/"); strings.HasPrefix(rest, mesh+"/") {
				reason = "datacenter"
			}
		}
	}
	x.refused.say(reason, label, slog.String("label", label), slog.String("from", from.String()))
}

// close ends the transport. It is called when the pools are shut down.
func (x *mux) close() error {
	err := x.base.Shutdown() // its listeners may wait for the loop to take something
	close(x.done)
	x.mu.Lock()
	for conn := range x.fresh {
		_ = conn.Close()
	}
	x.fresh = nil
	x.mu.Unlock()
	x.running.Wait()
	for _, pool := range x.pools {
		for len(pool.streams) > 0 {
			_ = (<-pool.streams).Close()
		}
	}
	return err
}
