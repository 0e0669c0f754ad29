package loop

// siteMap is a cluster's own map, which knows each place.
type siteMap struct {
	w *world
	s *site
}

func (m siteMap) Place(o Origin, at Coordinate, offset int64) Place {
	for i, e := range m.s.log {
		if o != Origin(m.s.number) && e.by >= 1000 && e.by == writerID(int(o), e.by) && e.at == at {
			if int64(i) == offset || m.w.rules.laterIsLost && int64(i) > offset {
				return Here
			}
			return Elsewhere
		}
	}
	next := m.s.taken.Next(o, 0)
	if at.Less(next) { // a gap
		return Elsewhere
	}
	if _, ok := m.w.graph.Ways(name(int(o)))[m.s.alias]; !ok && next == Start {
		return Elsewhere // nothing of it ever came, and nothing will
	}
	return NotCovered
}

// writerID is that of the writer of an origin, of whatever generation.
func writerID(o int, of int64) int64 { return of/1000*1000 + int64(o) }

// broken says whether a source's log begins behind what comes next.
func (w *world) broken(c, o, s int) bool {
	here := w.clusters[c].taken.Next(Origin(o), 0)
	_, first := w.clusters[s].reach(o, here)
	return here.Less(first)
}

// reach is how far a cluster has come with an origin, and the first coordinate that its log holds for who has come to here.
func (s *site) reach(o int, here Coordinate) (frontier, first Coordinate) {
	frontier, first = Start, here
	if s.number != o {
		frontier = s.taken.Next(Origin(o), 0)
	}
	missing := false
	for i, e := range s.log {
		if !s.holds(e, o) {
			continue
		}
		if s.number == o {
			frontier = highest(frontier, e.at.Next())
		}
		switch {
		case e.at.Less(here):
		case i < s.start:
			missing, first = true, Infinite
		case missing && e.at.Less(first):
			first = e.at
		}
	}
	return frontier, first
}

func (s *site) holds(e entry, o int) bool {
	if s.number == o {
		return e.by < 1000
	}
	return e.by >= 1000 && e.by%1000 == int64(o)
}
