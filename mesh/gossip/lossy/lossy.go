// Package lossy is a network in memory for tests of gossip: it can be cut, and it loses packets. memberlist's own network in memory
// waits for ever after a shutdown; this one works in a synctest bubble, where its latency takes no time.
//
//	Attach(address) ──> memberlist.NodeAwareTransport ── packets: delayed, lost, cut
//	                                                  └─ streams: net.Pipe, refused when cut
//
// It must never be part of what is shipped.
package lossy

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// Latency is how long a packet takes.
const Latency = time.Millisecond

// Network is the wires between nodes.
type Network struct {
	mu   sync.Mutex
	ends map[string]*End
	cut  func(from, to string) bool
	loss float64
	rnd  *rand.Rand
}

// New makes a network that is whole and loses nothing.
func New() *Network {
	return &Network{ends: map[string]*End{}, rnd: rand.New(rand.NewPCG(1, 2)), cut: func(_, _ string) bool { return false }}
}

// Cut says which addresses don't reach which.
func (w *Network) Cut(cut func(from, to string) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

// Heal ends every cut.
func (w *Network) Heal() { w.Cut(func(_, _ string) bool { return false }) }

// Lose makes the network lose a share of the packets, from 0 to 1.
func (w *Network) Lose(share float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss = share
}

// reach returns who gets a packet; nil: nobody.
func (w *Network) reach(from, to string) *End {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut(from, to) || w.rnd.Float64() < w.loss {
		return nil
	}
	return w.ends[to]
}

// End is a node's transport.
type End struct {
	network *Network
	address string
	packets chan *memberlist.Packet
	streams chan net.Conn
}

var _ memberlist.NodeAwareTransport = (*End)(nil)

// Attach makes the transport of the node at an address, host:port. It takes the place of one that was there.
func (w *Network) Attach(address string) *End {
	e := &End{network: w, address: address, packets: make(chan *memberlist.Packet, 100), streams: make(chan net.Conn, 10)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[address] = e
	return e
}

type place string

func (place) Network() string  { return "lossy" }
func (p place) String() string { return string(p) }

// WriteToAddress implements memberlist.NodeAwareTransport.
func (e *End) WriteToAddress(b []byte, to memberlist.Address) (time.Time, error) {
	sent := time.Now()
	if other := e.network.reach(e.address, to.Addr); other != nil {
		p := &memberlist.Packet{Buf: append([]byte(nil), b...), From: place(e.address), Timestamp: sent.Add(Latency)}
		time.AfterFunc(Latency, func() {
			select {
			case other.packets <- p:
			default: // as UDP
			}
		})
	}
	return sent, nil
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (e *End) DialAddressTimeout(to memberlist.Address, timeout time.Duration) (net.Conn, error) {
	here, there := net.Pipe()
	if e.network.connect(e.address, to.Addr, there) {
		return here, nil
	}
	<-time.After(timeout)
	return nil, errors.New("no route")
}

// connect hands a stream to whoever is at an address. The lock is held until it is there, or a node that goes would leave it unread.
func (w *Network) connect(from, to string, stream net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	other := w.ends[to]
	if other == nil || w.cut(from, to) {
		return false
	}
	select {
	case other.streams <- stream:
		return true
	default:
		return false // its backlog is full
	}
}

// WriteTo implements memberlist.Transport.
func (e *End) WriteTo(b []byte, to string) (time.Time, error) {
	return e.WriteToAddress(b, memberlist.Address{Addr: to})
}

// DialTimeout implements memberlist.Transport.
func (e *End) DialTimeout(to string, timeout time.Duration) (net.Conn, error) {
	return e.DialAddressTimeout(memberlist.Address{Addr: to}, timeout)
}

// FinalAdvertiseAddr implements memberlist.Transport.
func (e *End) FinalAdvertiseAddr(ip string, port int) (net.IP, int, error) {
	return net.ParseIP(ip), port, nil
}

// PacketCh implements memberlist.Transport.
func (e *End) PacketCh() <-chan *memberlist.Packet { return e.packets }

// StreamCh implements memberlist.Transport.
func (e *End) StreamCh() <-chan net.Conn { return e.streams }

// Shutdown implements memberlist.Transport.
func (e *End) Shutdown() error {
	e.network.mu.Lock()
	defer e.network.mu.Unlock()
	if e.network.ends[e.address] == e {
		delete(e.network.ends, e.address)
	}
	for len(e.streams) > 0 {
		_ = (<-e.streams).Close()
	}
	return nil
}
