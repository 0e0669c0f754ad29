package sim

import (
	"slices"

	"github.com/meshd/meshd/loop"
)

// view is what a writer knows of a source, as old as it was when it was read.
type view struct {
	writers *loop.Writers
	behind  *loop.Frontiers
	asOf    loop.Tick // of behind
	parts   map[string]loop.Part
	sure    map[string]bool // whether the source's notes of gaps are there
	pending *reading
	heard   map[string]heard
}

// reading is what was read of a source's registry and ledger; it is taken in later.
type reading struct {
	at      loop.Tick
	lost    bool
	entries []entry
	saved   map[string]saved
}

// heard is what a source said of an origin's partition when it was last asked.
type heard struct {
	home        bool // it is the origin
	incarnation int32
	epochs      partition // epochs, start and end alone
	frontier    loop.Coordinate
	gaps        loop.Gaps
	places      *places
	start, end  int64
	leader      int32
}

func (s *sim) view(w *writer, from int) *view {
	v := w.views[from]
	if v == nil {
		v = &view{
			writers: loop.NewWriters(), behind: loop.NewFrontiers(loop.Origin(from)), parts: map[string]loop.Part{}, sure: map[string]bool{}, heard: map[string]heard{}, asOf: -1,
		}
		for _, p := range slices.Backward(w.parts) { // numbers of their own
			v.parts[p.key] = v.behind.Part(p.name, int32(p.number))
		}
		w.views[from] = v
	}
	return v
}

// ask begins to read the registry of a source, and its notes of gaps.
func (s *sim) ask(w *writer, from int) {
	v, c := s.view(w, from), s.clusters[from]
	if v.pending != nil || s.unreachable(from, w.d) {
		return
	}
	s.tick++
	r := &reading{at: s.tick, entries: slices.Clone(c.registry.entries), saved: map[string]saved{}}
	r.lost = !s.trusts(w.d, from)
	for _, p := range w.parts {
		if x, ok := c.stores[w.o].get("p/" + p.key); ok && from != w.o {
			r.saved[p.key] = x
		}
	}
	v.pending = r
}

// trusts says whether a source's registry is the one that it was: as the source itself noted it, and as was noted here.
func (s *sim) trusts(d, from int) bool {
	c := s.clusters[from]
	if s.without(registryLossIgnored) {
		return true
	}
	if own, ok := c.known[from]; ok && !c.registry.since(own) {
		return false
	}
	if was, ok := s.clusters[d].known[from]; ok && !c.registry.since(was) {
		return false
	}
	s.clusters[d].known[from] = c.registry.note()
	return true
}

// hear takes in what was read.
func (s *sim) hear(w *writer) {
	for from := range s.clusters {
		v := w.views[from]
		if v == nil || v.pending == nil {
			continue
		}
		r := v.pending
		v.pending = nil
		s.tick++
		if r.lost {
			v.writers.Lose()
		}
		for _, e := range r.entries {
			_ = v.writers.Register(e.id, e.origin) // what is wrong with it, the judge says
		}
		v.writers.ReadSince(r.at)
		v.asOf = r.at
		for _, p := range w.parts {
			x, ok := r.saved[p.key]
			if v.sure[p.key] = ok; ok {
				next, gaps, err := loop.DecodeFrontier(x.frontier)
				if err != nil {
					panic(err)
				}
				v.behind.Restore(loop.Origin(w.o), v.parts[p.key], next, gaps)
			}
		}
	}
}
