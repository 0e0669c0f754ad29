package sim

import (
	"fmt"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// resumeAll finds for each part where it goes on, and saves that before anything is written.
func (s *sim) resumeAll(w *writer) bool {
	for _, p := range w.parts {
		t := s.clusters[w.d].topics[p.name]
		if t.id != p.topic || t.parts[p.number].leader != p.leader {
			s.reopen(w, "the marker may be gone")
			return false
		}
		if p.stop = s.resume(w, p); p.stop != "" {
			s.say("%s: %s: %s", w, p.key, p.stop)
			continue
		}
		s.begin(w, p)
		if !s.save(w, p) {
			return false
		}
	}
	return true
}

// resume restores the frontier of a part. It returns the reason if that can't be.
func (s *sim) resume(w *writer, p *part) (stop string) {
	c := s.clusters[w.d]
	log := c.topics[p.name].parts[p.number]
	if _, ok := c.accepted[p.topic]; !ok {
		return "destination recreated"
	}
	v, ok := c.stores[w.o].get("p/" + p.key)
	if !ok {
		return s.resumeWithout(w, p, log)
	}
	prog, err := checkpoint.DecodeProgress(v.progress)
	next, gaps, ferr := loop.DecodeFrontier(v.frontier)
	if err != nil || ferr != nil {
		panic(fmt.Sprint(err, ferr))
	}
	m, _ := c.stores[w.o].get("m/" + p.key)
	p.places = m.places.clone()
	if prog.DstID != uuid(p.topic) {
		p.places = &places{}
		s.restore(w, p, loop.Start, nil)
		return ""
	}
	s.restore(w, p, next, gaps)
	if e, end := log.epochEnd(prog.DestEpoch); e < prog.DestEpoch || end < int64(prog.Dest) {
		return s.resumeTruncated(w, p, prog, end)
	}
	return s.resumeTail(w, p, log, prog, next)
}

func (s *sim) restore(w *writer, p *part, next loop.Coordinate, gaps loop.Gaps) {
	for _, f := range []*loop.Frontiers{w.taken, w.acked} {
		f.Restore(loop.Origin(w.o), p.part, next, append(loop.Gaps(nil), gaps...))
	}
}

// resumeTruncated goes on behind what is left of an unclean election: the map knows what that is, progress lies ahead of it. An election that
// took the marker, too, let a zombie write behind that; only the records themselves can tell what.
func (s *sim) resumeTruncated(w *writer, p *part, prog checkpoint.Progress, end int64) string {
	lost, left := p.places.behind(end), s.writtenSince(w, p, prog, end)
	switch {
	case len(left) > 0 && p.provenance != loop.Headers, lost == 0 && lost < len(p.places.list) && p.places.hole:
		return "resume point lost"
	case len(left) == 0 && lost == len(p.places.list):
		p.places.truncate(end)
		return ""
	}
	p.places.truncate(end)
	for _, b := range left {
		for i, r := range b.records {
			p.places.add(b.base+int64(i), stampOf(r).At)
		}
	}
	next := loop.Start
	if n := len(p.places.list); n > 0 {
		next = p.places.list[n-1].at.Next()
	}
	if now := w.acked.Next(loop.Origin(w.o), p.part); next.Less(now) || len(left) > 0 {
		s.restore(w, p, next, w.acked.Gaps(loop.Origin(w.o), p.part).Below(next))
	}
	s.say("%s: %s lost what lay at %d and behind: goes on at %s (was %d)", w, p.key, end, next, prog.Source)
	return ""
}

// writtenSince are the shard's batches from where its log parted up to the marker.
func (s *sim) writtenSince(w *writer, p *part, prog checkpoint.Progress, end int64) (out []*batch) {
	if s.without(zombieUnread) {
		return nil
	}
	for _, b := range s.clusters[w.d].topics[p.name].parts[p.number].retained() {
		if b.base >= end && b.base < p.marker && !b.control && (s.own(w, b) || b.by.ID == prog.Owner.ID) {
			out = append(out, b)
		}
	}
	return out
}

// resumeTail reads the predecessor's batches behind the place that progress names.
func (s *sim) resumeTail(w *writer, p *part, log *partition, prog checkpoint.Progress, next loop.Coordinate) string {
	tail, strange := s.tail(w, p, log, prog)
	if strange {
		return "resume point lost"
	}
	before := prog.Written
	if log.start > int64(prog.Dest) { // retention took the place
		n := int64(-1)
		if b, ok := p.before[prog.Owner.ID]; ok && b.epoch == prog.Owner.Epoch {
			n = prog.Unwrap(b.next)
		}
		if len(tail) > 0 {
			n = prog.Unwrap(tail[0].Sequence)
		}
		if n < prog.Written {
			return "resume point lost"
		}
		s.gone(p, log, prog, next.Incarnation, n)
		prog.Advance(n, offsetxlate.Dest(log.start))
	}
	source, written, copied, err := prog.Resume(tail)
	if err != nil {
		return "resume point lost"
	}
	if written > before || s.without(progressFrontierLost) {
		next = loop.Coordinate{Incarnation: next.Incarnation, Epoch: prog.RunOf(written).Epoch, Offset: int64(source)}
		if s.without(progressFrontierLost) && written == before {
			next = loop.Start
		}
		s.restore(w, p, next, s.clippedGaps(w, p, next))
	}
	s.complete(p, copied, prog, next.Incarnation)
	return s.checkTail(w, p, log, prog, next, len(tail) > 0)
}

// clippedGaps are the gaps below a frontier.
func (s *sim) clippedGaps(w *writer, p *part, next loop.Coordinate) (out loop.Gaps) {
	for _, g := range w.acked.Gaps(loop.Origin(w.o), p.part) {
		if !next.Less(g.To) {
			out = append(out, g)
		}
	}
	return out
}
