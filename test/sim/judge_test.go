package sim

import (
	"math"

	"github.com/meshd/meshd/loop"
)

// judge judges the first batch that was fetched, and takes what is to be taken of it.
func (s *sim) judge(w *writer, p *part) bool {
	b := p.src.got[0]
	in := loop.Batch{Magic: 2, Control: b.control, ProducerID: b.by.ID, LeaderEpoch: b.leader, First: b.base, Last: b.next() - 1, Fetched: b.tick}
	j := s.judgeOf(w, p, b.leader)
	if s.without(offsetOnly) {
		j.Incarnation, in.LeaderEpoch = 0, 0
	}
	r := s.ruleBatch(j, in)
	s.counts.Count(r, int32(len(b.records)))
	switch r.Act {
	case loop.Wait:
		return s.wait(w, p, r)
	case loop.Stop:
		s.stopLink(w, p, reason(r.Why))
		return false
	case loop.Suppress:
		s.suppressed(w, p, in, r)
	case loop.Deliver:
		for i, rec := range b.records {
			s.take(w, p, rec, loop.Coordinate{Incarnation: j.Incarnation, Epoch: in.LeaderEpoch, Offset: b.base + int64(i)})
		}
	case loop.Records, loop.Stamp: // the second is of records alone
		if r, all := s.judgeRecords(w, p, j, in, r, b.batch); !all {
			if r.Act == loop.Wait {
				return s.wait(w, p, r)
			}
			s.stopLink(w, p, reason(r.Why))
			return false
		}
	}
	p.src.got, p.wait = p.src.got[1:], ""
	return s.moved()
}

func reason(why loop.Why) string {
	if why == loop.LostRegistry {
		return "registry lost"
	}
	return why.String()
}

// judgeOf is the package's judge for what a part takes from its source.
func (s *sim) judgeOf(w *writer, p *part, leader int32) *loop.Judge {
	from := p.src.cluster
	v := s.view(w, from)
	j := &loop.Judge{
		Destination: loop.Origin(w.d), Source: loop.Origin(from), Topic: loop.TopicTag(p.name), Number: int32(p.number), Provenance: p.provenance, Incarnation: p.src.incarnation,
		Origins: s.origins, Writers: v.writers, Taken: w.taken, Part: p.part, From: make([]bool, len(s.clusters)), Map: sourceMap{s.clusters[from], p, s.origins, leader},
	}
	j.From[w.o] = true
	if from != w.o {
		j.Behind, j.BehindPart, j.BehindAsOf = v.behind, v.parts[p.key], v.asOf
		if !v.sure[p.key] { // its notes are not there, or were not read yet
			j.BehindAsOf = -1
		}
		if s.without(samePart) {
			j.BehindPart = p.part
		}
		if s.without(staleGaps) {
			j.BehindAsOf = math.MaxInt64
		}
	}
	if s.without(noBarrier) || s.without(registryLossIgnored) {
		j.Map = nil
	}
	return j
}

// sourceMap answers for the maps that are stored at a source.
type sourceMap struct {
	c       *cluster
	p       *part
	origins *loop.Origins
	leader  int32 // leader epoch of the batch
}

func (m sourceMap) Place(_ loop.Batch, h loop.Header, offset int64) loop.Place {
	o, ok := m.origins.Find(h.Cluster)
	if !ok {
		return loop.Elsewhere
	}
	st := m.c.stores[o]
	x, ok := st.get("m/" + m.p.key)
	switch {
	case !ok && st.generation == 0 && len(st.log) == 0:
		return loop.Elsewhere
	case !ok, offset >= x.places.cover, m.leader > x.places.leader:
		return loop.NotCovered
	case x.places.wrote(offset), x.places.hole && x.places.behind(offset) == 0:
		return loop.Here
	}
	return loop.Elsewhere
}

// judgeRecords judges a batch's records one by one, or a writer's batch by its ends. It says whether all are judged; if not, what of.
func (s *sim) judgeRecords(w *writer, p *part, j *loop.Judge, in loop.Batch, of loop.Ruling, b *batch) (loop.Ruling, bool) {
	if of.Why == loop.Carried && s.chance(2) {
		last := len(b.records) - 1
		span := j.Span(s.ruleRecord(j, in, of, b, 0), s.ruleRecord(j, in, of, b, last))
		switch span.Act {
		case loop.Suppress:
			return span, true
		case loop.Deliver:
			for _, r := range b.records {
				s.take(w, p, r, stampOf(r).At)
			}
			return span, true
		default:
		}
	}
	for i, rec := range b.records {
		r := s.ruleRecord(j, in, of, b, i)
		s.counts.Count(r, 1)
		switch r.Act {
		case loop.Deliver:
			s.take(w, p, rec, r.At)
		case loop.Stamp:
			s.take(w, p, rec.stamped(loop.AppendHeader(nil, s.origins.ID(r.Origin), loop.TopicTag(p.name), int32(p.number), r.At)), r.At)
		case loop.Suppress:
		default:
			return r, false
		}
	}
	return of, true
}

// take puts a record on its way.
func (s *sim) take(w *writer, p *part, r record, at loop.Coordinate) {
	w.taken.Advance(loop.Origin(w.o), p.part, at)
	if s.without(nullIsEmpty) && r.value == nil {
		r.value = []byte{}
	}
	p.out = append(p.out, item{r, at})
}

// suppressed is for a batch that is left out. In the origin's own log its place is a fact: no record of the origin lies there.
func (s *sim) suppressed(w *writer, p *part, in loop.Batch, r loop.Ruling) {
	at := loop.Coordinate{Incarnation: p.src.incarnation, Epoch: in.LeaderEpoch, Offset: in.Last + 1}
	if s.without(suppressedAdvances) && r.Why == loop.OtherSource && r.Origin == loop.Origin(p.src.cluster) {
		if x, q := s.writer(int(r.Origin), w.d, p.key); q != nil {
			x.taken.Pass(r.Origin, q.part, at)
			x.acked.Pass(r.Origin, q.part, at)
		}
	}
	if p.src.cluster == w.o && r.Why != loop.Seen && p.flight == 0 && len(p.out) == 0 {
		w.taken.Pass(loop.Origin(w.o), p.part, at)
		w.acked.Pass(loop.Origin(w.o), p.part, at)
	}
}

// wait asks for what a verdict waits for.
func (s *sim) wait(w *writer, p *part, r loop.Ruling) bool {
	p.wait = r.Why.String()
	switch r.Why {
	case loop.Barrier:
		if s.without(noBarrier) {
			s.tick++
			s.view(w, p.src.cluster).writers.ReadSince(s.tick)
			return true
		}
		s.ask(w, p.src.cluster)
	case loop.GapBarrier:
		s.ask(w, p.src.cluster)
	case loop.Uncovered: // the batch may be gone before the map comes to it
		if b := p.src.got[0]; !s.without(waitedNotFetched) {
			p.src.at, p.src.last, p.src.got = b.base, b.leader, nil
		}
	case loop.AtGap: // the choice finds another source, or says it; it must see where the gap begins
		if o := loop.Origin(w.o); p.flight == 0 && len(p.out) == 0 && w.taken.Next(o, p.part).Less(r.At) && !s.without(gapBeginUnseen) {
			w.taken.Pass(o, p.part, r.At)
			w.acked.Pass(o, p.part, r.At)
			return s.moved()
		}
	default:
	}
	return false
}
