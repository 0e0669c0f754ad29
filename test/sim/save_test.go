package sim

import (
	"errors"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// save stores the map, and then the place: where all that is acknowledged ends.
func (s *sim) save(w *writer, p *part) bool {
	if p.flight == 0 && len(p.out) == 0 { // whatever lies below the end, this writer has not written more of it
		if log := s.clusters[w.d].topics[p.name].parts[p.number]; log.leader == p.leader {
			p.places.cover, p.places.leader = log.end, log.leader
		}
	}
	if !s.put(w, "m/"+p.key, saved{places: p.places.clone()}) {
		return false
	}
	p.prog.Advance(p.written, offsetxlate.Dest(p.dest))
	return s.place(w, p)
}

// place stores a new place with its frontier. A frontier that ran ahead of the place would outlive what an unclean election takes in between.
func (s *sim) place(w *writer, p *part) bool {
	o := loop.Origin(w.o)
	p.prog.DestEpoch = p.destEpoch
	p.frontier = loop.AppendFrontier(nil, w.acked.Next(o, p.part), w.acked.Gaps(o, p.part))
	return s.note(w, p)
}

// note stores progress, the place as it was.
func (s *sim) note(w *writer, p *part) bool {
	if o := loop.Origin(w.o); s.without(frontierAhead) {
		p.frontier = loop.AppendFrontier(nil, w.acked.Next(o, p.part), w.acked.Gaps(o, p.part))
	}
	return s.put(w, "p/"+p.key, saved{progress: p.prog.Encode(), frontier: p.frontier})
}

func (s *sim) put(w *writer, key string, v saved) bool {
	v.generation = w.generation
	switch err := s.clusters[w.d].stores[w.o].save(w.id, w.shard, key, v); {
	case err == nil:
		return true
	case errors.Is(err, errFenced):
		s.standDown(w)
	default:
		s.reopen(w, "the ledger is gone")
	}
	return false
}

// standDown is for who was fenced.
func (s *sim) standDown(w *writer) {
	s.say("%s: fenced", w)
	if w.zombie {
		w.dead = true
		return
	}
	s.reopen(w, "fenced, and meant to write")
}

// ahead notes the runs of what is to be sent, and says whether they are stored.
func (s *sim) ahead(w *writer, p *part, items []item) bool {
	n, more := p.sent, false
	for _, it := range items {
		r := checkpoint.Run{Written: n, Source: offsetxlate.Source(it.at.Offset), Epoch: it.at.Epoch}
		if s.without(epochUnnoted) {
			r.Epoch = p.mark.Epoch
		}
		if p.prog.SourceOf(n) != r.Source || p.prog.RunOf(n).Epoch != r.Epoch {
			p.prog.Ahead = append(p.prog.Ahead, r)
			more = true
		}
		n++
	}
	return !more || s.note(w, p)
}

// turn begins a new incarnation of the origin's topic: progress speaks of one at a time, so all before it must be acknowledged.
func (s *sim) turn(w *writer, p *part, at loop.Coordinate) bool {
	if p.flight > 0 {
		return false
	}
	w.acked.Pass(loop.Origin(w.o), p.part, at)
	p.mark = at
	p.prog.Advance(p.written, offsetxlate.Dest(p.dest))
	p.prog.Source, p.prog.SourceEpoch, p.prog.Ahead = offsetxlate.Source(at.Offset), at.Epoch, nil
	return s.put(w, "m/"+p.key, saved{places: p.places.clone()}) && s.place(w, p)
}
