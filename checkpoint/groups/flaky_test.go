package groups

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// flaky is a network that breaks when it is told to: before a request took effect, or after.
type flaky struct {
	mu     sync.Mutex
	key    int16 // of the requests that break
	after  bool  // the broker gets the request, but nobody gets the answer
	pass   int   // how many requests pass before
	breaks int   // how many more requests break
	broken int   // how many have broken
}

var errCut = errors.New("cut by the test")

// arm lets the next requests of a kind pass, and makes the n after them break.
func (f *flaky) arm(key kmsg.Key, after bool, pass, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.key, f.after, f.pass, f.breaks, f.broken = int16(key), after, pass, n, 0
}

func (f *flaky) disarm() { f.arm(0, false, 0, 0) }

// hit says whether a request breaks, and how.
func (f *flaky) hit(request []byte) (hit, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	// A request begins with its length in four bytes, then its key.
	if f.breaks == 0 || len(request) < 6 || int16(binary.BigEndian.Uint16(request[4:])) != f.key {
		return false, false
	}
	if f.pass > 0 {
		f.pass--
		return false, false
	}
	f.breaks--
	f.broken++
	return true, f.after
}

func (f *flaky) hits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.broken
}

func (f *flaky) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &flakyConn{Conn: conn, net: f}, nil
}

type flakyConn struct {
	net.Conn
	net *flaky
	mu  sync.Mutex
	cut bool // what comes next is thrown away
}

// Write is given whole requests by the client.
func (c *flakyConn) Write(b []byte) (int, error) {
	hit, after := c.net.hit(b)
	if hit && !after {
		_ = c.Close()
		return 1, errCut // the client repeats by itself what was not begun
	}
	if hit {
		c.mu.Lock()
		c.cut = true
		c.mu.Unlock()
	}
	return c.Conn.Write(b)
}

// Read waits for the broker's answer, so that the request has taken effect, and does not pass it on.
func (c *flakyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		_ = c.Close()
		return 0, errCut
	}
	return n, err
}
