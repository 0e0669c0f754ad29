package chaos

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/internal/wire"
)

// what is something that a node produces.
type what struct {
	name  string
	match func(*kmsg.ProduceRequest, wire.Request) bool
}

// observe counts what nodes produce to the copy.
func (s *stage) observe() {
	topics, err := kadm.NewClient(s.eu.Client(s.t)).ListTopics(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	s.ids = map[string][16]byte{}
	for name, topic := range topics {
		s.ids[name] = topic.ID
	}
	s.eu.net.Hold(func(r wire.Request) bool {
		for _, w := range []what{s.data(), s.progress()} {
			if s.produces(r, w) {
				s.mu.Lock()
				s.seen[r.Client+" "+w.name]++
				s.mu.Unlock()
			}
		}
		return false
	})
}

// data is the records of the copy.
func (s *stage) data() what {
	return what{"records", func(p *kmsg.ProduceRequest, _ wire.Request) bool { return s.goesTo(p, s.feed.remote()) }}
}

// progress is how far the copy is, under a key that stands in the request as it is.
func (s *stage) progress() what {
	key := []byte(s.feed.topic + "/0")
	return what{"progress", func(p *kmsg.ProduceRequest, r wire.Request) bool {
		return s.goesTo(p, "meshd.progress.us") && r.Contains(key)
	}}
}

// goesTo says whether records for a topic are in a request; brokers from 4.1 on are told a topic's id alone.
func (s *stage) goesTo(p *kmsg.ProduceRequest, topic string) bool {
	id, ok := s.ids[topic]
	return slices.ContainsFunc(p.Topics, func(t kmsg.ProduceRequestTopic) bool { return t.Topic == topic || ok && t.TopicID == id })
}

func (s *stage) produces(r wire.Request, w what) bool {
	p := kmsg.NewPtrProduceRequest()
	return r.Key == p.Key() && decode(r, p) && w.match(p, r)
}

// decode reads a request behind its header: key, version, correlation id, client id and, of a flexible version, tags, of which clients
// send none (https://kafka.apache.org/protocol#protocol_messages).
func decode(r wire.Request, into kmsg.Request) bool {
	into.SetVersion(int16(r.Frame[6])<<8 | int16(r.Frame[7]))
	at := 4 + 2 + 2 + 4 + 2 + len(r.Client)
	if into.IsFlexible() {
		at++
	}
	return at <= len(r.Frame) && into.ReadFrom(r.Frame[at:]) == nil
}

// hold keeps back what a node produces.
func (s *stage) hold(n *node, w func() what) *wire.Hold {
	made := w()
	h := s.eu.net.Hold(func(r wire.Request) bool { return r.Client == n.client() && s.produces(r, made) })
	s.t.Cleanup(h.Release)
	return h
}

// sent is how often a node has produced something.
func (s *stage) sent(n *node, w func() what) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[n.client()+" "+w().name]
}
