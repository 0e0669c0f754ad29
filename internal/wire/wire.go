package wire

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// Fault is what the network does to a client.
type Fault int

// The faults. With Lost and Late the other side hears nothing, not even that the connection is gone.
const (
	None Fault = iota
	Cut        // its connections are reset, and so are new ones as soon as they say whose they are
	Lost       // its connections stay, new ones are taken, and nothing arrives any more; they are reset when the fault is over
	Late       // the same, but everything arrives when the fault is over
)

// Network forwards connections to brokers.
type Network struct {
	delay   time.Duration
	inspect bool

	mu        sync.Mutex
	changed   *sync.Cond // a fault, a hold, or the end of a line
	listeners []net.Listener
	lines     map[*line]struct{}
	faults    map[string]Fault // by client
	holds     []*Hold
	ended     bool
	tasks     sync.WaitGroup
}

// New makes a network of clients that speak Kafka's protocol.
func New() *Network {
	n := Delayed(0)
	n.inspect = true
	return n
}

// Delayed makes a network that holds up what passes for a time each way. It looks into nothing, and so has no faults and holds. It does
// not bound what is under way, as a window would, and loses nothing.
func Delayed(delay time.Duration) *Network {
	n := &Network{delay: delay, lines: map[*line]struct{}{}, faults: map[string]Fault{}}
	n.changed = sync.NewCond(&n.mu)
	return n
}

// Forward begins to forward from an address to another, and returns the first as it is; port 0 is any.
func (n *Network) Forward(address, target string) (string, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("forwarding to %s: %w", target, err)
	}
	n.mu.Lock()
	n.listeners = append(n.listeners, listener)
	n.mu.Unlock()
	n.tasks.Go(func() { n.accept(listener, target) })
	return listener.Addr().String(), nil
}

func (n *Network) accept(listener net.Listener, target string) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return // closed
		}
		n.tasks.Go(func() { n.serve(near, target) })
	}
}

func (n *Network) serve(near net.Conn, target string) {
	far, err := net.Dial("tcp", target)
	if err != nil {
		_ = near.Close() // its client tries again
		return
	}
	l := &line{network: n, near: near, far: far}
	n.mu.Lock()
	n.lines[l] = struct{}{}
	ended := n.ended
	n.mu.Unlock()
	if ended {
		l.end()
	}
	n.tasks.Go(l.back)
	l.there()
}

// Strike has a fault strike a client, in place of the one before. None ends it.
func (n *Network) Strike(client string, f Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults[client] = f
	for l := range n.lines {
		if l.client == client {
			l.suffer(f)
		}
	}
	n.changed.Broadcast()
}

// Close ends everything, and returns when nothing runs any more.
func (n *Network) Close() {
	n.mu.Lock()
	n.ended = true
	for _, listener := range n.listeners {
		listener.Close()
	}
	for l := range n.lines {
		l.close()
	}
	n.changed.Broadcast()
	n.mu.Unlock()
	n.tasks.Wait()
}
