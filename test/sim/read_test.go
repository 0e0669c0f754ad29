package sim

import (
	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
)

// read has a part fetch from its source, or judge what it fetched, or send what it judged.
func (s *sim) read(w *writer, p *part) bool {
	if w.stage != open || w.dead { // choosing may have noted something, and found out that it was replaced
		return false
	}
	if len(p.out) > 0 {
		return s.send(w, p)
	}
	if p.src.cluster < 0 || s.stopped[stopKey{w.d, p.src.cluster, w.o, p.key}] != "" {
		return false
	}
	if len(p.src.got) > 0 {
		return s.judge(w, p)
	}
	if s.unreachable(p.src.cluster, w.d) {
		return false
	}
	if !p.src.attached && !s.attach(w, p) {
		return false
	}
	return s.fetch(w, p)
}

// attach finds the place where the source is read from: by its own log's epochs if it is the origin, else by the map that is kept there. It
// refuses where the source no longer has what comes next; the choice deals with that.
func (s *sim) attach(w *writer, p *part) bool {
	c := s.clusters[p.src.cluster]
	t := c.topics[p.name]
	inc, ok := c.accepted[t.id]
	if !ok {
		s.stopLink(w, p, "source recreated")
		return false
	}
	here, log := w.taken.Next(loop.Origin(w.o), p.part), t.parts[p.number]
	start := c.start(log)
	var at int64
	last := int32(-1)
	if p.src.cluster == w.o {
		if here.Incarnation == inc && !s.without(epochUnasked) { // what lies before it was read in that leader epoch
			last = here.Epoch
		}
		if at = log.placeOf(here, inc); at < start {
			return s.waits(p, "gone")
		}
	} else {
		var why string
		if at, last, why = s.placeAtHub(w, p, c, t.id, start); why != "" {
			return s.waits(p, why)
		}
	}
	p.src.attached, p.src.topic, p.src.incarnation, p.src.at, p.src.last = true, t.id, inc, at, last
	return true
}

// placeAtHub is where a cluster that is not the origin is read from, by the map that is kept there; and the leader epoch of the log of which that
// speaks, for it may have been cut since.
func (s *sim) placeAtHub(w *writer, p *part, c *cluster, topic int, start int64) (at int64, last int32, why string) {
	m, known := c.stores[w.o].get("m/" + p.key)
	x, noted := c.stores[w.o].get("p/" + p.key)
	if !known || !noted || m.places.cover < start {
		return 0, -1, "map"
	}
	here := w.taken.Next(loop.Origin(w.o), p.part)
	if _, lost := m.places.lost(start, here, loop.Infinite); lost {
		return 0, -1, "gone"
	}
	prog, err := checkpoint.DecodeProgress(x.progress)
	if err != nil {
		panic(err)
	}
	if prog.DstID != uuid(topic) {
		return 0, -1, "map"
	}
	if last = prog.DestEpoch; s.without(hubEpochUnasked) {
		last = -1
	}
	return max(start, m.places.find(here, s.without(placeByOffset))), last, ""
}

func (s *sim) waits(p *part, why string) bool {
	p.wait = why
	return false
}

func (s *sim) fetch(w *writer, p *part) bool {
	r := &p.src
	t := s.clusters[r.cluster].topics[p.name]
	if t.id != r.topic {
		r.attached = false
		return false
	}
	got, diverged, err := t.parts[p.number].fetch(r.at, r.last, 1+s.rng.IntN(4))
	switch {
	case err != nil: // retention overtook
		r.attached = false
		return false
	case diverged != nil:
		return s.parted(w, p, *diverged)
	}
	s.tick++
	for _, b := range got {
		r.got = append(r.got, fetched{b, s.tick})
		r.at, r.last = b.next(), b.leader
	}
	if len(got) == 0 {
		p.wait = ""
		return s.catchUp(w, p, t.parts[p.number])
	}
	if r.at <= r.most { // it was fetched before
		return false
	}
	r.most = r.at
	return s.moved()
}

// parted is for who reads a log that is not the one any more that it read. Who leads at the origin now came to lead behind all that was read
// there, so the frontier goes on above that by its leader epoch, however early the log parts. Elsewhere the map is another one soon.
func (s *sim) parted(w *writer, p *part, has epochStart) bool {
	r, o := &p.src, loop.Origin(w.o)
	if r.cluster != w.o {
		r.attached = false
		return s.waits(p, "map")
	}
	if p.flight > 0 {
		return false
	}
	s.say("%s: %s: %s was truncated to %d", w, p.key, name(r.cluster), has.start)
	r.at, r.last = min(r.at, has.start), has.epoch
	if here := w.acked.Next(o, p.part); here.Incarnation == r.incarnation {
		here.Epoch, here.Offset = here.Epoch+1, r.at
		w.taken.Pass(o, p.part, here)
		w.acked.Pass(o, p.part, here)
	}
	return s.moved()
}

// catchUp is for who has read all that there is.
func (s *sim) catchUp(w *writer, p *part, log *partition) bool {
	h, ok := s.view(w, p.src.cluster).heard[p.key]
	o := loop.Origin(w.o)
	here := w.taken.Next(o, p.part)
	if !ok || s.without(noCatchUp) || h.leader != log.leader || p.src.at < h.end || p.flight > 0 || !here.Less(h.offer(here).Until) {
		return false
	}
	w.taken.CatchUp(o, p.part, h.offer(here))
	w.acked.CatchUp(o, p.part, h.offer(here))
	return s.moved()
}

// stopLink has a part take no more from its source, until a person did something.
func (s *sim) stopLink(w *writer, p *part, why string) {
	k := stopKey{w.d, p.src.cluster, w.o, p.key}
	if s.stopped[k] == "" {
		s.stopped[k] = why
		s.tally.stops++
		s.say("%s: %s stops reading at %s: %s", w, p.key, name(p.src.cluster), why)
	}
	p.src = reader{cluster: p.src.cluster} // what was fetched is not judged
}
