package sim

import (
	"math"
	"slices"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
)

// takeOver does the next step of a take-over (DESIGN: the writers' points 1 to 3). Others act in between.
func (s *sim) takeOver(w *writer) bool {
	c := s.clusters[w.d]
	switch w.stage {
	case claiming:
		w.old = s.idsOf(w)
		w.id = c.initProducer(w.txn())
		w.stage = registering
	case registering:
		if !s.register(w) {
			return false
		}
		w.stage = fencing
	case fencing:
		if !s.fence(w) {
			return false
		}
		w.stage = resuming
	case resuming:
		if !s.resumeAll(w) {
			return false
		}
		w.stage = open
		s.tally.opens++
		s.say("%s: open", w)
	case open:
	}
	return s.moved()
}

// register puts the writer into the registry before it writes anything. A registry that is not the one that it was is lost.
func (s *sim) register(w *writer) bool {
	c := s.clusters[w.d]
	was, ok := c.known[w.d]
	if ok && !c.registry.since(was) && !s.without(registryLossIgnored) {
		w.stop = "registry lost"
		s.say("%s: %s", w, w.stop)
		return false
	}
	if !c.registry.has(w.id.ID) {
		c.registry.entries = append(c.registry.entries, entry{w.id.ID, loop.Origin(w.o), w.shard})
	}
	c.known[w.d] = c.registry.note()
	return true
}

// fence shuts out whoever wrote before: the ledger first, then each partition. What a predecessor sends arrives before the marker, or never.
func (s *sim) fence(w *writer) bool {
	c := s.clusters[w.d]
	st := c.stores[w.o]
	if c.stored[w.o] != st.generation {
		w.stop = "progress lost"
		s.say("%s: %s", w, w.stop)
		return false
	}
	w.generation = st.generation
	if c.txns[w.txn()] != w.id && !s.without(newerFenced) { // the coordinator refuses another one's marker
		s.reopen(w, "fenced")
		return false
	}
	for _, id := range append(s.before(w), w.id.ID) {
		st.fence(kafka.ProducerID{ID: id, Epoch: w.epochTo(id)}, w.shard)
	}
	for _, p := range w.parts {
		if !s.fencePart(w, p, s.before(w)) {
			s.reopen(w, "fenced")
			return false
		}
	}
	return true
}

// idsOf are the producer ids that the shard has had.
func (s *sim) idsOf(w *writer) (out []int64) {
	for _, e := range s.clusters[w.d].registry.entries {
		if e.origin == loop.Origin(w.o) && e.shard == w.shard {
			out = append(out, e.id)
		}
	}
	return out
}

// before are the ids that the shard had before this one. One that was registered since the claim may be a later one, which must not be shut out.
func (s *sim) before(w *writer) []int64 {
	old := slices.Clone(w.old)
	if s.without(newerFenced) {
		old = s.idsOf(w)
	}
	return slices.DeleteFunc(old, func(id int64) bool { return id == w.id.ID })
}

// epochTo is the epoch to which an id is fenced: its own, or for good.
func (w *writer) epochTo(id int64) int16 {
	if id == w.id.ID {
		return w.id.Epoch
	}
	return math.MaxInt16
}

func (s *sim) fencePart(w *writer, p *part, ids []int64) bool {
	t := s.clusters[w.d].topics[p.name]
	log := t.parts[p.number]
	p.topic, p.leader, p.before = t.id, log.leader, map[int64]producer{}
	for id, x := range log.producers {
		p.before[id] = *x
	}
	for _, id := range ids {
		if x := log.producers[id]; x != nil && x.epoch < math.MaxInt16 {
			if _, err := log.mark(kafka.ProducerID{ID: id, Epoch: math.MaxInt16}); err != nil {
				return false
			}
		}
	}
	at, err := log.mark(w.id)
	p.marker = at
	return err == nil
}
