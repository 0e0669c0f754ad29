package groups

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
)

// flaky is a network that breaks when it is told to: before a request took effect, or after.
type flaky struct {
	mu     sync.Mutex
	key    int16 // of the requests that break
	after  bool  // the broker gets the request, but nobody gets the answer
	breaks int   // how many more requests break
	broken int   // how many have broken
}

var errCut = errors.New("cut by the test")

// arm makes the next n requests of a kind break.
func (f *flaky) arm(key int16, after bool, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.key, f.after, f.breaks, f.broken = key, after, n, 0
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

// Write sees whole requests: a length of four bytes, then the key.
func (c *flakyConn) Write(b []byte) (int, error) {
	c.net.mu.Lock()
	hit := c.net.breaks > 0 && len(b) > 6 && int16(binary.BigEndian.Uint16(b[4:])) == c.net.key
	after := c.net.after
	if hit {
		c.net.breaks--
		c.net.broken++
	}
	c.net.mu.Unlock()
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
