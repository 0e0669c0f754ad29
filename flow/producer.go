package flow

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
)

const (
	maxRequestBytes = 2 << 20 // of batches in one produce request, but for a larger one alone
	maxRequests     = 3       // under way in one stream to one broker
)

// Producer is what goes to one destination cluster. Each broker has two streams, each with a connection of its own, for a broker takes one
// request of a connection after the other: the tail's, and that of partitions that are being caught up, which hold up nobody. A goroutine
// a stream gathers the batches of all partitions into requests.
type Producer struct {
	tail, backlog *kafka.Cluster
	dir           *kafka.Directory
	ctx           context.Context //nolint:containedctx // the life of the streams, ended by Close
	cancel        context.CancelCauseFunc
	wg            sync.WaitGroup

	mu      sync.Mutex
	senders map[stream]*sender
}

// NewProducer starts the streams, which are two clients of one cluster. dir tells where partitions are.
func NewProducer(tail, backlog *kafka.Cluster, dir *kafka.Directory) *Producer {
	p := &Producer{tail: tail, backlog: backlog, dir: dir, senders: map[stream]*sender{}}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	return p
}

// Outlet makes the place of one partition in the streams. done is told each answer, in order; stuck may be nil.
func (p *Producer) Outlet(topic string, number int32, done func(Ack), stuck func()) *Outlet {
	return &Outlet{producer: p, topic: topic, number: number, done: done, stuck: stuck}
}

// Close ends the streams without waiting for answers, and returns when its goroutines have.
func (p *Producer) Close() {
	p.mu.Lock()
	p.cancel(context.Canceled)
	p.mu.Unlock()
	p.wg.Wait()
}

// enqueue puts an outlet with a batch before the goroutine of its leader.
func (p *Producer) enqueue(o *Outlet) {
	if p.ctx.Err() != nil {
		return
	}
	at, ok := p.locate(o)
	switch {
	case !ok:
		o.noPlace(kerr.UnknownTopicOrPartition)
	case at.Leader < 0:
		o.noPlace(kerr.LeaderNotAvailable)
	default:
		if s := p.sender(stream{at.Leader, o.stream()}); s != nil {
			s.add(o)
		}
	}
}

// locate finds an outlet's partition, unless what has its topic's name now is another topic.
func (p *Producer) locate(o *Outlet) (kafka.Partition, bool) {
	at, ok := p.dir.Get(o.topic, o.number)
	return at, ok && (o.id == [16]byte{} || o.id == at.TopicID)
}

func (p *Producer) sender(id stream) *sender {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.senders[id]
	if !ok && p.ctx.Err() == nil {
		s = &sender{p: p, id: id, cluster: p.tail, wake: make(chan struct{}, 1), slots: make(chan struct{}, maxRequests)}
		if id.backlog {
			s.cluster = p.backlog
		}
		p.senders[id] = s
		p.wg.Go(s.loop)
	}
	return s
}

// stream is the tail's or the backlog's of one broker.
type stream struct {
	broker  int32
	backlog bool
}

// sender gathers what is to go to one broker in one stream.
type sender struct {
	p       *Producer
	id      stream
	cluster *kafka.Cluster
	wake    chan struct{}
	slots   chan struct{}

	mu    sync.Mutex
	queue []*Outlet
}

func (s *sender) add(o *Outlet) {
	s.mu.Lock()
	s.queue = append(s.queue, o)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *sender) loop() {
	for {
		select {
		case <-s.p.ctx.Done():
			return
		case <-s.wake:
		}
		for s.step() {
		}
	}
}

// step sends one request if anything waits.
func (s *sender) step() bool {
	select {
	case s.slots <- struct{}{}:
	case <-s.p.ctx.Done():
		return false
	}
	r := s.gather()
	if len(r.flights) == 0 {
		<-s.slots
		return false
	}
	began := make(chan struct{})
	s.p.wg.Go(func() {
		close(began)
		s.roundTrip(r)
		<-s.slots
	})
	<-began // requests go out in the order in which they were gathered; one that does not is refused, and repeated
	return true
}

// request is one produce request under way, and who waits for the answers.
type request struct {
	msg     *kmsg.ProduceRequest
	flights map[spot]flightOf
}

type flightOf struct {
	*Outlet
	flight *Flight
}

type spot struct {
	topic string
	id    [16]byte
	num   int32
}

// gather fills a request. A partition has one batch in it, whoever writes it: a broker takes no more. Who had to wait goes first in the next.
func (s *sender) gather() request {
	s.mu.Lock()
	queue := s.queue
	s.queue = nil
	s.mu.Unlock()
	r := request{msg: kmsg.NewPtrProduceRequest(), flights: map[spot]flightOf{}}
	r.msg.Acks, r.msg.TimeoutMillis = -1, 10_000
	size, n := 0, 0
	var waiting, more []*Outlet
	for ; n < len(queue) && size < maxRequestBytes; n++ {
		bytes, again := s.put(&r, queue[n])
		switch size += bytes; {
		case again && bytes == 0:
			waiting = append(waiting, queue[n])
		case again:
			more = append(more, queue[n])
		}
	}
	s.mu.Lock()
	s.queue = slices.Concat(waiting, queue[n:], s.queue, more)
	s.mu.Unlock()
	return r
}

// put adds a batch of an outlet to a request; again says that another one, or with no bytes this one, waits for the next request.
func (s *sender) put(r *request, o *Outlet) (size int, again bool) {
	at, ok := s.p.locate(o)
	if !ok || (stream{at.Leader, o.stream()}) != s.id {
		s.p.enqueue(o)
		return 0, false
	}
	key := spot{o.topic, at.TopicID, o.number}
	if _, taken := r.flights[key]; taken { // by the writer of another origin: a broker takes one batch of a partition
		return 0, true
	}
	f, more := o.take(s.id.backlog, at.LeaderEpoch)
	if f == nil {
		return 0, false
	}
	pp := kmsg.NewProduceRequestTopicPartition()
	pp.Partition, pp.Records = o.number, f.Data
	t := r.topic(at)
	t.Partitions = append(t.Partitions, pp)
	r.flights[key] = flightOf{o, f}
	return len(f.Data), more
}

func (r *request) topic(at kafka.Partition) *kmsg.ProduceRequestTopic {
	for i := range r.msg.Topics {
		if r.msg.Topics[i].Topic == at.Topic {
			return &r.msg.Topics[i]
		}
	}
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.TopicID = at.Topic, at.TopicID
	r.msg.Topics = append(r.msg.Topics, t)
	return &r.msg.Topics[len(r.msg.Topics)-1]
}

func (s *sender) roundTrip(r request) {
	resp, err := s.cluster.Client.Broker(int(s.id.broker)).Request(s.p.ctx, r.msg)
	if s.p.ctx.Err() != nil {
		return
	}
	if err != nil {
		err = fmt.Errorf("producing to broker %d of cluster %s: %w", s.id.broker, s.cluster.Config.Alias, err)
		for _, f := range r.flights {
			f.answer(f.flight, 0, err)
		}
		return
	}
	r.deliver(resp.(*kmsg.ProduceResponse))
}

// deliver gives each outlet its answer; one that the broker left out is told to try again.
func (r request) deliver(resp *kmsg.ProduceResponse) {
	names := make(map[[16]byte]string, len(r.msg.Topics))
	for _, t := range r.msg.Topics {
		names[t.TopicID] = t.Topic
	}
	ids := make(map[string][16]byte, len(r.msg.Topics))
	for _, t := range r.msg.Topics {
		ids[t.Topic] = t.TopicID
	}
	for _, t := range resp.Topics {
		at := spot{topic: t.Topic, id: t.TopicID}
		if resp.Version >= 13 {
			at.topic = names[t.TopicID]
		} else {
			at.id = ids[t.Topic]
		}
		for _, p := range t.Partitions {
			at.num = p.Partition
			if f, ok := r.flights[at]; ok {
				delete(r.flights, at)
				f.answer(f.flight, p.BaseOffset, kerr.ErrorForCode(p.ErrorCode))
			}
		}
	}
	for _, f := range r.flights {
		f.answer(f.flight, 0, kerr.RequestTimedOut)
	}
}
