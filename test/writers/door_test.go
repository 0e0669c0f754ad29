package writers

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"

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
func openDoor(t testing.TB, c *kafkatest.Cluster, shut ...int) *door {
	t.Helper()
	open := make(chan struct{})
	close(open)
	d := &door{t: t, real: c.Bootstrap(), doors: map[string]string{}, conns: map[net.Conn]bool{}, names: map[[16]byte]string{}, gate: open}
	for i, target := range d.real {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		d.ls = append(d.ls, l)
		d.doors[target] = l.Addr().String()
		if slices.Contains(shut, i+1) {
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
		c.Close()
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
			near.Close()
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
			c.Close()
		}
	}
	return !d.ended
}

// passage is one connection through the door.
type passage struct {
	*door
	near, far net.Conn

	mu   sync.Mutex
	sent map[int32]sentRequest
}

type sentRequest struct {
	key, version int16
	late         bool
}

func (p *passage) there() {
	defer p.far.Close()
	for {
		frame, err := readFrame(p.near)
		if err != nil {
			return
		}
		r := sentRequest{key: int16(binary.BigEndian.Uint16(frame)), version: int16(binary.BigEndian.Uint16(frame[2:]))}
		r.late = p.wait(r, frame)
		p.mu.Lock()
		p.sent[int32(binary.BigEndian.Uint32(frame[4:]))] = r
		p.mu.Unlock()
		if writeFrame(p.far, frame) != nil {
			return
		}
	}
}

// wait returns when the request may pass, and says whether it had to wait.
func (p *passage) wait(r sentRequest, frame []byte) bool {
	p.door.mu.Lock()
	gate := p.gate
	holds := r.key == int16(kmsg.Produce) || p.all
	select {
	case <-gate:
		holds = false
	default:
	}
	if holds {
		p.waiting = append(p.waiting, held{p.topicsOf(r, frame)})
	}
	p.door.mu.Unlock()
	if holds {
		<-gate
	}
	return holds
}

// topicsOf are those that a produce request writes to.
func (p *passage) topicsOf(r sentRequest, frame []byte) map[string]bool {
	topics := map[string]bool{}
	if r.key != int16(kmsg.Produce) {
		return topics
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version = r.version
	b := kbin.Reader{Src: frame[8:]}
	b.NullableString()
	if req.IsFlexible() {
		kmsg.SkipTags(&b)
	}
	if err := req.ReadFrom(b.Src); err != nil {
		return topics
	}
	for _, t := range req.Topics {
		if t.Topic == "" {
			t.Topic = p.names[t.TopicID]
		}
		topics[t.Topic] = true
	}
	return topics
}

func (p *passage) back() {
	defer p.near.Close()
	for {
		frame, err := readFrame(p.far)
		if err != nil {
			return
		}
		correlation := int32(binary.BigEndian.Uint32(frame))
		p.mu.Lock()
		r, ok := p.sent[correlation]
		delete(p.sent, correlation)
		p.mu.Unlock()
		if ok {
			frame = p.look(r, frame)
		}
		_ = writeFrame(p.near, frame) // whoever asked may be gone; the answers after this one count all the same
	}
}

// look rewrites addresses in an answer, and notes what was said to batches.
func (p *passage) look(r sentRequest, frame []byte) []byte {
	switch r.key {
	case int16(kmsg.Produce), int16(kmsg.Metadata), int16(kmsg.FindCoordinator), int16(kmsg.DescribeCluster):
	default:
		return frame
	}
	resp := kmsg.ResponseForKey(r.key)
	resp.SetVersion(r.version)
	head := 4
	if resp.IsFlexible() {
		head++ // no tags
	}
	if err := resp.ReadFrom(frame[head:]); err != nil {
		return frame
	}
	p.door.mu.Lock()
	defer p.door.mu.Unlock()
	switch x := resp.(type) {
	case *kmsg.ProduceResponse:
		p.note(x, r.late)
		return frame
	case *kmsg.MetadataResponse:
		for _, t := range x.Topics {
			if t.Topic != nil {
				p.names[t.TopicID] = *t.Topic
			}
		}
		for i := range x.Brokers {
			p.turn(&x.Brokers[i].Host, &x.Brokers[i].Port)
		}
	case *kmsg.FindCoordinatorResponse:
		p.turn(&x.Host, &x.Port)
		for i := range x.Coordinators {
			p.turn(&x.Coordinators[i].Host, &x.Coordinators[i].Port)
		}
	case *kmsg.DescribeClusterResponse:
		for i := range x.Brokers {
			p.turn(&x.Brokers[i].Host, &x.Brokers[i].Port)
		}
	}
	return resp.AppendTo(frame[:head:head])
}

func (p *passage) note(x *kmsg.ProduceResponse, late bool) {
	for _, t := range x.Topics {
		if t.Topic == "" {
			t.Topic = p.names[t.TopicID]
		}
		for _, at := range t.Partitions {
			p.answers = append(p.answers, answer{t.Topic, at.Partition, at.ErrorCode, late})
		}
	}
}

func (p *passage) turn(host *string, port *int32) {
	through, ok := p.doors[net.JoinHostPort(*host, strconv.Itoa(int(*port)))]
	if !ok {
		return
	}
	h, n, _ := net.SplitHostPort(through)
	number, _ := strconv.Atoi(n)
	*host, *port = h, int32(number)
}

func readFrame(c net.Conn) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(c, frame)
	return frame, err
}

func writeFrame(c net.Conn, frame []byte) error {
	_, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...))
	return err
}
