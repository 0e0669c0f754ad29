package writers

import (
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

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
	defer shut(p.far)
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
	defer shut(p.near)
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
