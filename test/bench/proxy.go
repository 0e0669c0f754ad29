package main

import (
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// proxy forwards TCP connections and holds back what passes for a time each way. It does not bound what is under way, as a window
// would, and loses nothing.
type proxy struct {
	listener net.Listener
	target   string
	delay    time.Duration

	mu    sync.Mutex
	open  map[net.Conn]bool
	ended bool
	tasks sync.WaitGroup
}

func startProxy(address, target string, delay time.Duration) (*proxy, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, delay: delay, open: map[net.Conn]bool{}}
	p.tasks.Go(p.accept)
	return p, nil
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.tasks.Go(func() { p.serve(near) })
	}
}

func (p *proxy) serve(near net.Conn) {
	far, err := net.Dial("tcp", p.target)
	if err != nil || !p.hold(near, far) {
		closeAll(near)
		return
	}
	p.tasks.Go(func() { p.forward(near, far) })
	p.forward(far, near)
}

// hold notes connections, so that close can end them. They are closed where that was already.
func (p *proxy) hold(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.open[c] = true
	}
	if p.ended {
		closeAll(conns...)
	}
	return !p.ended
}

// parcel is what was read, and when it may go on.
type parcel struct {
	data []byte
	due  time.Time
}

// underWay bounds the memory of a connection in one direction: 16 MiB at 32 KiB a parcel.
const underWay = 512

// forward passes on until an end closes, and then closes both.
func (p *proxy) forward(to, from net.Conn) {
	parcels := make(chan parcel, underWay)
	p.tasks.Go(func() {
		defer p.release(to, from)
		for next := range parcels {
			if time.Until(next.due) > 0 {
				<-time.After(time.Until(next.due))
			}
			if _, err := to.Write(next.data); err != nil {
				break
			}
		}
		for range parcels { // the reader below must not wait
		}
	})
	defer close(parcels)
	for {
		buffer := make([]byte, 32<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			parcels <- parcel{buffer[:n], time.Now().Add(p.delay)}
		}
		if err != nil { // its end, or closed
			return
		}
	}
}

func (p *proxy) release(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	closeAll(conns...)
	for _, c := range conns {
		delete(p.open, c)
	}
}

func closeAll(conns ...net.Conn) {
	for _, c := range conns {
		_ = c.Close() // one that is closed already is what is wanted
	}
}

// close ends all connections and returns when nothing of the proxy runs.
func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	p.ended = true
	closeAll(slices.Collect(maps.Keys(p.open))...)
	p.mu.Unlock()
	p.tasks.Wait()
}
