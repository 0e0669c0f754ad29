package wire

import (
	"bufio"
	"net"
	"time"
)

// line is one connection.
type line struct {
	network   *Network
	near, far net.Conn
	client    string // once it is known
	answers   int    // as far as they came in pieces of their own
	lost      bool   // nothing arrives any more
	closed    bool
}

// parcel is what was read, and when it may go on.
type parcel struct {
	Request // of a response, and where nothing is looked into, the frame alone
	due     time.Time
}

// underWay bounds the memory of a connection in one direction.
const underWay = 512

// there forwards what the client sends.
func (l *line) there() {
	in := bufio.NewReaderSize(l.near, 64<<10)
	if !l.network.inspect {
		l.forward(l.far, func() (Request, error) { return read(l.near) })
		return
	}
	client, err := ClientID(in)
	if err != nil {
		l.end()
		return
	}
	l.name(client)
	l.forward(l.far, func() (Request, error) { return readRequest(in, client) })
}

// back forwards what the broker answers.
func (l *line) back() { l.forward(l.near, func() (Request, error) { return read(l.far) }) }

func read(from net.Conn) (Request, error) {
	buffer := make([]byte, 32<<10)
	n, err := from.Read(buffer)
	return Request{Frame: buffer[:n]}, err
}

// forward passes on until an end closes, and then closes both.
func (l *line) forward(to net.Conn, next func() (Request, error)) {
	parcels := make(chan parcel, underWay)
	l.network.tasks.Go(func() {
		for p := range parcels {
			if time.Until(p.due) > 0 {
				<-time.After(time.Until(p.due))
			}
			if !l.mayPass(p.Request) {
				break
			}
			if _, err := to.Write(p.Frame); err != nil {
				break
			}
		}
		l.end() // before the reader below is drained: it may wait for a client that is silent
		for range parcels {
		}
	})
	defer close(parcels)
	for {
		r, err := next()
		if len(r.Frame) > 0 {
			parcels <- parcel{r, time.Now().Add(l.network.delay)}
		}
		if err != nil { // its end, or closed
			return
		}
	}
}

// mayPass waits for as long as something holds the line up; false: it is over.
func (l *line) mayPass(r Request) bool {
	n := l.network
	n.mu.Lock()
	defer n.mu.Unlock()
	var hold *Hold
	if r.Client != "" {
		hold = n.holding(l, r)
	} else {
		l.answers++
	}
	for !l.closed && (hold != nil && !hold.over || n.faults[l.client] == Late || n.faults[l.client] == Lost) {
		n.changed.Wait()
	}
	return !l.closed && !l.lost
}

// name says whose the line is, and has it suffer what its client does.
func (l *line) name(client string) {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	l.client = client
	l.suffer(l.network.faults[client])
}

// suffer is called with the network's lock held.
func (l *line) suffer(f Fault) {
	switch {
	case f == Cut, l.lost && f == None:
		abrupt(l.near, l.far)
		l.close()
	case f == Lost:
		l.lost = true
	}
}

// abrupt has the other sides be told of a reset, and not of an end.
func abrupt(conns ...net.Conn) {
	for _, c := range conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // one that is closed already has said what it had to
		}
	}
}

// end closes both ends; once is enough.
func (l *line) end() {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	l.close()
	l.network.changed.Broadcast()
}

func (l *line) close() {
	l.closed = true
	_ = l.near.Close() // one that is closed already is what is wanted
	_ = l.far.Close()
	delete(l.network.lines, l)
}
