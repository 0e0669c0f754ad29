package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// listen asks a source what it has for a part. The answer is used until it is asked again.
func (s *sim) listen(w *writer, from int, p *part) {
	v, c := s.view(w, from), s.clusters[from]
	t := c.topics[p.name]
	delete(v.heard, p.key)
	inc, accepted := c.accepted[t.id]
	if !accepted {
		return
	}
	log := t.parts[p.number]
	h := heard{home: from == w.o, incarnation: inc, start: c.start(log), end: log.end, leader: log.leader}
	if h.home {
		h.epochs = partition{epochs: slices.Clone(log.epochs), start: h.start, end: log.end}
		h.frontier = loop.Coordinate{Incarnation: inc, Epoch: log.epochAt(log.end - 1), Offset: log.end}
		if log.end == 0 {
			h.frontier = loop.Start
		}
		v.heard[p.key] = h
		return
	}
	x, ok := c.stores[w.o].get("p/" + p.key)
	m, known := c.stores[w.o].get("m/" + p.key)
	if !ok || !known || m.places.cover < h.start {
		return
	}
	next, gaps, err := loop.DecodeFrontier(x.frontier)
	prog, perr := checkpoint.DecodeProgress(x.progress)
	if err != nil || perr != nil {
		panic(fmt.Sprint(err, perr))
	}
	if e, end := log.epochEnd(prog.DestEpoch); !s.without(truncationMiss) && (prog.DstID != uuid(t.id) || e < prog.DestEpoch || end < int64(prog.Dest)) {
		return // it lost what it speaks of, and its writer does not know yet
	}
	h.frontier, h.gaps, h.places = next, gaps, m.places
	v.heard[p.key] = h
}

// offer is what a source that was heard can serve to who has come to here.
func (h heard) offer(here loop.Coordinate) loop.Offer {
	first := here
	if h.home {
		if h.epochs.placeOf(here, h.incarnation) < h.start {
			first = loop.Coordinate{Incarnation: h.incarnation, Epoch: h.epochs.epochAt(h.start), Offset: h.start}
		}
	} else if f, lost := h.places.lost(h.start, here, h.frontier); lost {
		first = f
	}
	return loop.MakeOffer(here, h.frontier, first, h.gaps)
}

// placeOf is where in the origin's own log who has come to here goes on.
func (p *partition) placeOf(here loop.Coordinate, incarnation int32) int64 {
	if here.Incarnation < incarnation {
		return 0
	}
	_, end := p.epochEnd(here.Epoch)
	return min(here.Offset, end)
}

// nothing is the offer of who was not heard.
var nothing = loop.Offer{Frontier: loop.Start, Until: loop.Start}

// look is what a writer's node sees of a topic.
func (s *sim) look(w *writer, topic string) (v loop.View, parts []*part) {
	for _, p := range w.parts {
		if p.name == topic {
			parts = append(parts, p)
			v.Here = append(v.Here, w.taken.Next(loop.Origin(w.o), p.part))
		}
	}
	v.Neighbours = s.neighbours(w, topic)
	for i := range v.Neighbours {
		n := &v.Neighbours[i]
		from := number(n.Cluster)
		n.Reachable = !s.unreachable(from, w.d)
		for k, p := range parts {
			o := nothing
			if h, ok := s.view(w, from).heard[p.key]; ok && s.stopped[stopKey{w.d, from, w.o, p.key}] == "" {
				o = h.offer(v.Here[k])
			}
			n.Offers = append(n.Offers, o)
			n.Reachable = n.Reachable && s.stopped[stopKey{w.d, from, w.o, p.key}] == ""
		}
	}
	return v, parts
}

// neighbours are those of a version of the topology, which are reckoned once.
func (s *sim) neighbours(w *writer, topic string) []loop.Neighbour {
	k := wayKey{w.version, w.o, w.d, topic}
	all, ok := s.ways[k]
	if !ok {
		all = s.versions[w.version][topic].Neighbours(name(w.o), name(w.d))
		s.ways[k] = all
	}
	return slices.Clone(all)
}

// choose asks now and then what there is, and takes a source.
func (s *sim) choose(w *writer, topic string) {
	if w.chose[topic].Equal(s.now) && !s.chance(4) {
		return
	}
	w.chose[topic] = s.now
	v, parts := s.look(w, topic)
	for _, n := range v.Neighbours {
		for _, p := range parts {
			if n.Reachable && s.chance(3) {
				s.listen(w, number(n.Cluster), p)
			}
		}
	}
	was := w.choices[topic]
	c := loop.Choose(was, v, s.now)
	w.choices[topic] = c
	for _, p := range parts {
		s.follow(w, p, c.Source, c.Why)
	}
	gaps := c.Gaps(v, s.now)
	for i, p := range parts {
		if _, p.gap = gaps[i]; s.goOn {
			p.gap = false
		}
	}
	for _, i := range slices.Sorted(maps.Keys(gaps)) {
		s.gap(w, parts[i], gaps[i])
	}
}

// follow has a part read where the choice says.
func (s *sim) follow(w *writer, p *part, source topology.Alias, why loop.Reason) {
	to := -1
	if source != "" {
		to = number(source)
	}
	if to == p.src.cluster {
		return
	}
	if p.src.cluster >= 0 {
		s.tally.switches++
	}
	s.say("%s: takes %s from %q: %s", w, p.key, source, why)
	p.src = reader{cluster: to}
}

// gap applies on_gap to what nobody could fill.
func (s *sim) gap(w *writer, p *part, g loop.Gap) {
	o := loop.Origin(w.o)
	switch {
	case !s.goOn: // it is said, and waits for a person
	case p.flight > 0 || len(p.out) > 0: // what comes before it is not acknowledged
	case s.without(gapNotNoted):
		w.taken.Pass(o, p.part, g.To)
		w.acked.Pass(o, p.part, g.To)
	default:
		w.taken.Note(o, p.part, g)
		w.acked.Note(o, p.part, g)
		s.tally.gaps++
		s.say("%s: %s has a gap %s..%s", w, p.key, g.From, g.To)
		s.moved()
		s.save(w, p)
	}
}
