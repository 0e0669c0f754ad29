package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Session is an incremental fetch session with one broker (KIP-227): the broker remembers what is read, a request names only what
// changed since the last one, and an answer only partitions in which something happened. A broker that keeps no sessions is told
// everything every time. It is for one goroutine.
type Session struct {
	cluster *Cluster
	broker  int32

	id, epoch int32
	wants     map[Spot]Want
	topics    map[[16]byte]*sessionTopic
	changed   map[Spot]struct{}
	dropped   map[Spot]Partition
}

// sessionTopic is a topic of which n partitions are read.
type sessionTopic struct {
	name string
	n    int
}

// Spot names a partition.
type Spot struct {
	Topic  string
	Number int32
}

// Spot is the partition's name.
func (p Partition) Spot() Spot { return Spot{p.Topic, p.Number} }

// NewSession makes a session that reads nothing yet.
func NewSession(c *Cluster, broker int32) *Session {
	return &Session{
		cluster: c, broker: broker, wants: map[Spot]Want{}, topics: map[[16]byte]*sessionTopic{},
		changed: map[Spot]struct{}{}, dropped: map[Spot]Partition{},
	}
}

// Set has a partition read from w.Offset on, from the next Fetch on.
func (s *Session) Set(w Want) {
	at := w.Spot()
	had, known := s.wants[at]
	if known && had.TopicID != w.TopicID {
		s.Drop(at)
		known = false
	}
	if !known {
		s.count(w.Partition)
	}
	s.wants[at] = w
	s.changed[at] = struct{}{}
}

// Drop has a partition not read any more.
func (s *Session) Drop(at Spot) {
	w, ok := s.wants[at]
	if !ok {
		return
	}
	delete(s.wants, at)
	delete(s.changed, at)
	s.dropped[at] = w.Partition
	if t := s.topics[w.TopicID]; t.n > 1 {
		t.n--
	} else {
		delete(s.topics, w.TopicID)
	}
}

func (s *Session) count(p Partition) {
	t := s.topics[p.TopicID]
	if t == nil {
		t = &sessionTopic{name: p.Topic}
		s.topics[p.TopicID] = t
	}
	t.n++
}

// Len is how many partitions are read.
func (s *Session) Len() int { return len(s.wants) }

// Fetch asks once. It returns the partitions in which something happened, a change of the high watermark alone among them; each
// must be Set to what is wanted next, or dropped, before the next call. After an error the next call begins a new session.
func (s *Session) Fetch(ctx context.Context, wait time.Duration, maxBytes int32) ([]Got, error) {
	resp, err := s.ask(ctx, wait, maxBytes)
	if err != nil && isSession(err) { // the broker forgot it: everything anew, at once
		s.reset()
		resp, err = s.ask(ctx, wait, maxBytes)
	}
	if err != nil {
		s.reset()
		return nil, fmt.Errorf("fetching from broker %d of cluster %s: %w", s.broker, s.cluster.Config.Alias, err)
	}
	s.advance(resp.SessionID)
	return s.gather(resp), nil
}

func (s *Session) ask(ctx context.Context, wait time.Duration, maxBytes int32) (*kmsg.FetchResponse, error) {
	resp, err := s.cluster.Client.Broker(int(s.broker)).Request(ctx, s.cluster.patient(s.message(wait, maxBytes)))
	if err != nil {
		return nil, err
	}
	fr := resp.(*kmsg.FetchResponse)
	return fr, kerr.ErrorForCode(fr.ErrorCode)
}

func isSession(err error) bool {
	for _, e := range []error{kerr.FetchSessionIDNotFound, kerr.InvalidFetchSessionEpoch, kerr.FetchSessionTopicIDError, kerr.InconsistentTopicID} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (s *Session) reset() { s.id, s.epoch = 0, 0 }

// advance counts an answered request. After the largest epoch comes 1, for 0 begins a session.
func (s *Session) advance(id int32) {
	clear(s.changed)
	clear(s.dropped)
	if s.id = id; id == 0 {
		s.epoch = 0
		return
	}
	if s.epoch++; s.epoch < 0 {
		s.epoch = 1
	}
}

func (s *Session) message(wait time.Duration, maxBytes int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(wait.Milliseconds()), 1, maxBytes
	req.SessionID, req.SessionEpoch, req.IsolationLevel, req.Rack = s.id, s.epoch, 1, s.cluster.Config.Rack
	topics := map[string]int{}
	if s.epoch == 0 {
		for _, w := range s.wants {
			ask(req, topics, w)
		}
		return req
	}
	for at := range s.changed {
		ask(req, topics, s.wants[at])
	}
	s.forget(req)
	return req
}

func ask(req *kmsg.FetchRequest, topics map[string]int, w Want) {
	i, ok := topics[w.Topic]
	if !ok {
		i = len(req.Topics)
		topics[w.Topic] = i
		t := kmsg.NewFetchRequestTopic()
		t.Topic, t.TopicID = w.Topic, w.TopicID
		req.Topics = append(req.Topics, t)
	}
	req.Topics[i].Partitions = append(req.Topics[i].Partitions, w.entry())
}

// forget names what the session is to leave out. A partition of a topic that was made again is both forgotten and asked for: by its
// old id and its new one.
func (s *Session) forget(req *kmsg.FetchRequest) {
	type name struct {
		topic string
		id    [16]byte
	}
	topics := map[name]int{}
	for at, p := range s.dropped {
		if w, ok := s.wants[at]; ok && w.TopicID == p.TopicID {
			continue // wanted again
		}
		n := name{p.Topic, p.TopicID}
		i, ok := topics[n]
		if !ok {
			i = len(req.ForgottenTopics)
			topics[n] = i
			t := kmsg.NewFetchRequestForgottenTopic()
			t.Topic, t.TopicID = p.Topic, p.TopicID
			req.ForgottenTopics = append(req.ForgottenTopics, t)
		}
		req.ForgottenTopics[i].Partitions = append(req.ForgottenTopics[i].Partitions, p.Number)
	}
}

// gather finds the wants that the answer speaks of. From version 13 on topics have ids and no names.
func (s *Session) gather(resp *kmsg.FetchResponse) []Got {
	var out []Got
	for i := range resp.Topics {
		t := &resp.Topics[i]
		topic := t.Topic
		if known := s.topics[t.TopicID]; resp.Version >= 13 && known != nil {
			topic = known.name
		}
		for k := range t.Partitions {
			p := &t.Partitions[k]
			if w, ok := s.wants[Spot{topic, p.Partition}]; ok {
				out = append(out, Got{FetchResponseTopicPartition: p, Want: w, Err: kerr.ErrorForCode(p.ErrorCode)})
			}
		}
	}
	return out
}
