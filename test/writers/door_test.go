package writers

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
)

// door is a way into a cluster through which every request of one node goes: it has the brokers appear at its own addresses, and can hold
// requests back. What is held back reaches the broker later, even if whoever sent it has hung up.
type door struct {
	t     testing.TB
	real  []string
	seeds []string
	doors map[string]string // address of a broker -> of the door to it
	ls    []net.Listener
	tasks sync.WaitGroup

	mu      sync.Mutex
	conns   map[net.Conn]bool
	ended   bool
	names   map[[16]byte]string
	gate    chan struct{} // closed: open
	all     bool          // what is held is everything, not what is to be written alone
	waiting []held
	answers []answer
}

// held is a produce request that stands before the door.
type held struct{ topics map[string]bool }

// answer is what a broker said to a produce request for one partition.
type answer struct {
	topic     string
	partition int32
	code      int16
	late      bool // the request had been held back
}

// openDoor makes a door to every broker, by its number, but to those that are shut for good.
func openDoor(t testing.TB, c *kafkatest.Cluster, closed ...int) *door {
	t.Helper()
	open := make(chan struct{})
	close(open)
	d := &door{t: t, real: c.Bootstrap(), doors: map[string]string{}, conns: map[net.Conn]bool{}, names: map[[16]byte]string{}, gate: open}
	for i, target := range d.real {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		d.ls = append(d.ls, l)
		d.doors[target] = l.Addr().String()
		if slices.Contains(closed, i+1) {
			l.Close()
			continue
		}
		d.seeds = append(d.seeds, l.Addr().String())
		d.tasks.Go(func() { d.accept(l, target) })
	}
	t.Cleanup(d.close)
	return d
}

// hold keeps back every produce request from now on.
func (d *door) hold() { d.shut(false) }

// freeze keeps back everything, as if the node were stopped.
func (d *door) freeze() { d.shut(true) }

func (d *door) shut(all bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.gate:
		d.gate = make(chan struct{})
	default:
	}
	d.all, d.waiting = all, nil
}

// release lets go of what was held back, and of everything after it.
func (d *door) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.gate:
	default:
		close(d.gate)
	}
}

// awaitHeld waits until a batch for a topic stands before the door.
func (d *door) awaitHeld(topic string) {
	d.t.Helper()
	await(d.t, "a batch for "+topic+" to be held back", func() (string, bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, h := range d.waiting {
			if h.topics[topic] {
				return "", true
			}
		}
		return fmt.Sprintf("%d requests: %v", len(d.waiting), d.waiting), false
	})
}

// awaitLate waits for the answer to a batch for a topic that had been held back, and returns its code.
func (d *door) awaitLate(topic string) (code int16) {
	d.t.Helper()
	await(d.t, "the answer to a batch for "+topic+" that was held back", func() (string, bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, a := range d.answers {
			if a.late && a.topic == topic {
				code = a.code
				return "", true
			}
		}
		return fmt.Sprint(d.answers), false
	})
	return code
}

// said is what brokers answered to batches for a topic.
func (d *door) said(topic string) (all []answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.answers {
		if a.topic == topic {
			all = append(all, a)
		}
	}
	return all
}

func (d *door) close() {
	d.mu.Lock()
	d.ended = true
	for c := range d.conns {
		shut(c)
	}
	d.mu.Unlock()
	d.release()
	for _, l := range d.ls {
		l.Close()
	}
	d.tasks.Wait()
}

func (d *door) accept(l net.Listener, target string) {
	for {
		near, err := l.Accept()
		if err != nil {
			return // closed
		}
		far, err := net.Dial("tcp", target)
		if err != nil {
			shut(near)
			continue
		}
		if !d.keep(near, far) {
			return
		}
		p := &passage{door: d, near: near, far: far, sent: map[int32]sentRequest{}}
		d.tasks.Go(p.there)
		d.tasks.Go(p.back)
	}
}

func (d *door) keep(conns ...net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range conns {
		d.conns[c] = true
		if d.ended {
			shut(c)
		}
	}
	return !d.ended
}

// shut closes a connection; one that is closed already is what is wanted.
func shut(c net.Conn) { _ = c.Close() }
