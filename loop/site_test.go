package loop

// siteMap is a cluster's own map of each origin: which places its writer wrote, up to where it said so.
type siteMap struct {
	s       *site
	origins *Origins
	coords  bool // looks for the coordinate, not for the place
}

func (m siteMap) Place(_ Batch, h Header, offset int64) Place {
	o, ok := m.origins.Find(h.Cluster)
	switch {
	case !ok:
		return Elsewhere
	case m.coords:
		return m.find(o, h.At, offset)
	}
	switch e := m.s.log[offset]; {
	case offset >= int64(m.s.covered[int(o)]):
		return NotCovered
	case e.by >= 1000 && e.by%1000 == int64(o):
		return Here
	}
	return Elsewhere
}

func (m siteMap) find(o Origin, at Coordinate, offset int64) Place {
	for i, e := range m.s.log {
		if e.by >= 1000 && e.by%1000 == int64(o) && e.at == at {
			if int64(i) < offset {
				return Elsewhere
			}
			return Here
		}
	}
	return NotCovered
}

// broken says whether a source's log begins behind what comes next.
func (w *world) broken(c, o, s int) bool {
	here := w.clusters[c].taken.Next(Origin(o), part(c))
	_, first := w.clusters[s].reach(o, here)
	return here.Less(first)
}

// reach is how far a cluster has come with an origin, and the first coordinate that its log holds for who has come to here.
func (s *site) reach(o int, here Coordinate) (frontier, first Coordinate) {
	frontier, first = Start, here
	if s.number != o {
		frontier = s.taken.Next(Origin(o), part(s.number))
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
