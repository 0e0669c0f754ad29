package embedded

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/meshd/meshd/internal/wire"
)

// Loss is how a cluster that is cut off looks from outside.
type Loss int

// The two ways in which a cluster can be lost.
const (
	none     Loss = iota
	Refusing      // every connection is closed at once: a machine that runs and whose broker does not
	Silent        // connections stay open and nothing answers: a machine without power, or a cut line
)

// gate is the listener of a broker, and the place where its network is cut. Its port stays taken meanwhile.
type gate struct {
	net.Listener
	lost   func() Loss
	killed func(client string) bool

	mu    sync.Mutex
	lines map[*line]struct{}
}

// line is one connection.
type line struct {
	net.Conn
	gate   *gate
	in     *bufio.Reader
	closed chan struct{}
	once   sync.Once

	mu     sync.Mutex
	named  bool
	client string
	muted  bool
}

// Accept returns the next connection that is to be served. Those that come while the cluster is lost are not.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, fmt.Errorf("accepting a connection: %w", err)
		}
		l := &line{Conn: c, gate: g, in: bufio.NewReader(c), closed: make(chan struct{})}
		g.mu.Lock()
		g.lines[l] = struct{}{}
		g.mu.Unlock()
		if !g.strike(l, g.lost()) {
			return l, nil
		}
	}
}

// strike does to a connection what a loss does; false if there is none.
func (g *gate) strike(l *line, how Loss) bool {
	switch how {
	case none:
		return false
	case Refusing:
		_ = l.Close() // the other side learns all there is to learn
	case Silent:
		l.mute()
	}
	return true
}

// cut does to all connections what a loss does. With none it ends them: whoever waits for an answer learns that none will come.
func (g *gate) cut(how Loss) {
	for _, l := range g.all() {
		if !g.strike(l, how) {
			_ = l.Close() // as above
		}
	}
}

func (g *gate) kill(client string) {
	for _, l := range g.all() {
		if l.isOf(client) {
			_ = l.Close() // as above
		}
	}
}

func (g *gate) all() []*line {
	g.mu.Lock()
	defer g.mu.Unlock()
	ls := make([]*line, 0, len(g.lines))
	for l := range g.lines {
		ls = append(ls, l)
	}
	return ls
}

// Close ends the listener and what it still holds.
func (g *gate) Close() error {
	err := g.Listener.Close()
	g.cut(none)
	return err
}

// Read returns what the client sent. What comes after a cut is never read: a request that the network lost is not served later.
func (l *line) Read(p []byte) (int, error) {
	if err := l.name(); err != nil {
		return 0, l.over(err)
	}
	n, err := l.in.Read(p)
	if err != nil || l.isMuted() {
		return 0, l.over(err)
	}
	return n, nil
}

// Write sends an answer, or loses it.
func (l *line) Write(p []byte) (int, error) {
	if l.isMuted() {
		return 0, l.over(nil)
	}
	return l.Conn.Write(p)
}

// over waits for the end of a silent connection, so that its client is not told.
func (l *line) over(err error) error {
	if l.isMuted() {
		<-l.closed
	}
	if err == nil {
		return io.EOF
	}
	return err
}

// Close ends the connection.
func (l *line) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		l.gate.mu.Lock()
		delete(l.gate.lines, l)
		l.gate.mu.Unlock()
		err = l.Conn.Close()
		close(l.closed)
	})
	return err
}

func (l *line) mute() {
	l.mu.Lock()
	l.muted = true
	l.mu.Unlock()
	_ = l.SetReadDeadline(time.Unix(1, 0)) // wakes a Read; on a closed connection there is none
}

func (l *line) isMuted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.muted
}

func (l *line) isOf(client string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.named && l.client == client
}

// name finds out whose connection this is, from its first request (KIP-511 has all clients say it first of all).
func (l *line) name() error {
	if l.isNamed() {
		return nil
	}
	client, err := wire.ClientID(l.in)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.client, l.named = client, true
	l.mu.Unlock()
	if l.gate.killed(client) { // asked after it is named: a kill finds either the name or the connection
		_ = l.Close() // as above
		return net.ErrClosed
	}
	return nil
}

func (l *line) isNamed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.named
}
