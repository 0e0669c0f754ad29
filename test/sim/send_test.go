package sim

import (
	"errors"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
)

// request is a produce request on its way. A writer that is gone does not hear the answer.
type request struct {
	w      *writer
	p      *part
	id     kafka.ProducerID
	topic  int
	leader int32
	batch  batch
	items  []item
}

const (
	underWay = 3 // requests of a part
	together = 5 // records in a batch
)

// send sends what was judged. What its sequence numbers mean is noted before.
func (s *sim) send(w *writer, p *part) bool {
	if p.flight == underWay {
		return false
	}
	n := 1
	for n < len(p.out) && n < together && p.out[n].at.Incarnation == p.out[0].at.Incarnation {
		n++
	}
	items := p.out[:n:n]
	if first := items[0].at; first.Incarnation != p.mark.Incarnation && !s.turn(w, p, first) {
		return false
	}
	if !s.ahead(w, p, items) {
		return false
	}
	b := batch{by: w.id, seq: int32(p.sent)}
	for _, it := range items {
		b.records = append(b.records, it.record)
	}
	p.out, p.sent, p.flight = p.out[n:], p.sent+int64(n), p.flight+1
	s.sent = append(s.sent, &request{w, p, w.id, p.topic, p.leader, b, items})
	return s.moved()
}

// arrive delivers the first request of the partition and writer to which request i belongs.
func (s *sim) arrive(i int) {
	for k, r := range s.sent[:i] {
		if r.p == s.sent[i].p {
			i = k
			break
		}
	}
	r := s.sent[i]
	c := s.clusters[r.w.d]
	if c.down {
		return
	}
	base, err := c.produce(r.p.name, r.topic, int32(r.p.number), r.batch, r.leader)
	alive := !r.w.dead && r.w.id == r.id && r.w.stage == open
	if alive && err == nil && s.chance(10) { // the answer is lost, and the request is sent again
		return
	}
	s.sent = append(s.sent[:i], s.sent[i+1:]...)
	if r.w.zombie && err == nil {
		s.tally.zombie++
	}
	s.moved()
	if alive {
		r.p.flight--
		s.answered(r, base, err)
	}
}

// answered takes in what the broker said.
func (s *sim) answered(r *request, base int64, err error) {
	w, p := r.w, r.p
	switch {
	case err == nil && base < p.dest:
		s.reopen(w, "the log went back")
	case err == nil:
		for i, it := range r.items {
			w.acked.Advance(loop.Origin(w.o), p.part, it.at)
			p.places.add(base+int64(i), it.at)
			if !s.without(mapHoles) || it.at.Offset%3 > 0 {
				p.translateOne(base+int64(i), it.at)
			}
		}
		p.written += int64(len(r.items))
		p.dest, p.destEpoch = base+int64(len(r.items)), r.leader
		s.tally.delivered += len(r.items)
	case errors.Is(err, errNotLeader):
		p.flight++
		s.sent = append([]*request{r}, s.sent...) // before those that follow it
		s.leaderChanged(w, p)
	case errors.Is(err, errTopic):
		p.stop = "destination recreated"
		s.say("%s: %s: %s", w, p.key, p.stop)
	case errors.Is(err, errFenced):
		s.standDown(w)
	default:
		s.reopen(w, err.Error())
	}
}

// leaderChanged looks at a new leader's log before anything is sent there: it may lack what was acknowledged. It says whether the part must
// not go on.
func (s *sim) leaderChanged(w *writer, p *part) bool {
	t := s.clusters[w.d].topics[p.name]
	if t.id != p.topic {
		if p.stop == "" {
			p.stop = "destination recreated"
			s.say("%s: %s: %s", w, p.key, p.stop)
		}
		return true
	}
	log := t.parts[p.number]
	if log.leader == p.leader {
		return false
	}
	if e, end := log.epochEnd(p.destEpoch); e < p.destEpoch || end < p.dest {
		s.reopen(w, "an unclean election took what was acknowledged")
		return true
	}
	p.leader = log.leader
	for _, r := range s.sent {
		if r.p == p && r.id == w.id {
			r.leader = log.leader
		}
	}
	return false
}
