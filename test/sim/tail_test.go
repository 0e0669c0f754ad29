package sim

import (
	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// tail are the batches of progress' owner behind its place; strange says that others of the shard's ids wrote there.
func (s *sim) tail(w *writer, p *part, log *partition, prog checkpoint.Progress) (out []checkpoint.Batch, strange bool) {
	for _, b := range log.retained() {
		if b.base < int64(prog.Dest) || b.base >= p.marker || b.control || !s.own(w, b) && b.by.ID != prog.Owner.ID { // the registry may be a new one
			continue
		}
		if b.by != prog.Owner {
			return nil, true
		}
		out = append(out, checkpoint.Batch{Base: offsetxlate.Dest(b.base), Count: int32(len(b.records)), Sequence: b.seq})
	}
	return out, false
}

// own says whether the registry has a batch's writer as one of this shard.
func (s *sim) own(w *writer, b *batch) bool {
	for _, e := range s.clusters[w.d].registry.entries {
		if e.id == b.by.ID {
			return e.origin == loop.Origin(w.o) && e.shard == w.shard
		}
	}
	return false
}

// complete adds to the map what the tail holds beyond it.
func (s *sim) complete(p *part, copied []checkpoint.Copied, prog checkpoint.Progress, incarnation int32) {
	n := prog.Written
	for _, c := range copied {
		for i := range c.Count {
			if at := int64(c.Dest) + i; !p.places.wrote(at) {
				p.places.add(at, loop.Coordinate{Incarnation: incarnation, Epoch: prog.RunOf(n).Epoch, Offset: int64(c.Source) + i})
			}
			n++
		}
	}
}

// gone adds to the map what retention took before it was stored: where it lay nobody knows any more, but it was before what is left.
func (s *sim) gone(p *part, log *partition, prog checkpoint.Progress, incarnation int32, end int64) {
	for n := prog.Written; n < end && !s.without(goneUnmapped); n++ {
		if at := log.start - end + n; p.places.behind(at) == len(p.places.list) {
			p.places.add(at, loop.Coordinate{Incarnation: incarnation, Epoch: prog.RunOf(n).Epoch, Offset: int64(prog.SourceOf(n))})
		}
	}
}

// checkTail compares with the headers of what lies there: they must say what progress says.
func (s *sim) checkTail(w *writer, p *part, log *partition, prog checkpoint.Progress, next loop.Coordinate, written bool) string {
	if p.provenance != loop.Headers || !written || s.taken != "" {
		return ""
	}
	last := loop.Coordinate{}
	for _, b := range log.retained() {
		if b.base < p.marker && !b.control && (s.own(w, b) || b.by.ID == prog.Owner.ID) {
			last = stampOf(b.records[len(b.records)-1]).At
		}
	}
	if of := p.places.list[len(p.places.list)-1].at; of != last || next.Less(last.Next()) {
		s.audit.fault("%s: %s resumes at %s behind %s, and the last record there is at %s", w, p.key, next, of, last)
	}
	return ""
}

func stampOf(r record) loop.Header {
	v, _ := r.stamp()
	h, err := loop.DecodeHeader(v)
	if err != nil {
		panic(err)
	}
	return h
}

// resumeWithout is for a part of which nothing is saved: it begins; or what was saved is lost, a person knows, and the log itself must say
// where it stood. Notes of gaps are gone then, so each jump may be one.
func (s *sim) resumeWithout(w *writer, p *part, log *partition) string {
	c := s.clusters[w.d]
	if was, ok := c.known[w.d]; ok && !c.registry.since(was) && !s.without(registryLossIgnored) { // who wrote the log is asked anew
		return "registry lost"
	}
	p.places = &places{hole: log.start > 0}
	next, gaps := loop.Start, loop.Gaps(nil)
	for _, b := range log.retained() {
		if b.control || !s.own(w, b) {
			continue
		}
		if p.provenance != loop.Headers {
			return "resume point lost"
		}
		for i, r := range b.records {
			h := stampOf(r)
			if h.At != next && h.At != (loop.Coordinate{}) {
				gaps = gaps.Add(loop.Gap{From: next, To: h.At, Why: loop.GapUnknown})
			}
			next = h.At.Next()
			p.places.add(b.base+int64(i), h.At)
		}
	}
	lost := c.stores[w.o].generation > 0
	if lost && (c.registry.partial || len(p.places.list) == 0 && log.start > 0) || !lost && len(p.places.list) > 0 {
		return "resume point lost"
	}
	if !lost {
		p.places.hole = false
	}
	s.restore(w, p, next, gaps)
	return ""
}

// begin sets a part to its frontier, at the beginning of an epoch.
func (s *sim) begin(w *writer, p *part) {
	next := w.acked.Next(loop.Origin(w.o), p.part)
	log := s.clusters[w.d].topics[p.name].parts[p.number]
	p.dest, p.destEpoch, p.sent, p.written, p.mark = p.marker+1, log.leader, 0, 0, next
	p.places.cover, p.places.leader = p.marker+1, log.leader
	p.prog = checkpoint.Progress{
		Owner: w.id, DstID: uuid(p.topic), Source: offsetxlate.Source(next.Offset), Dest: offsetxlate.Dest(p.dest), SourceEpoch: next.Epoch, DestEpoch: p.destEpoch,
	}
	p.translate()
}
