package offsetxlate

// Holds says whether a record of the map lies at destination offset y. known is false where that can't be told: behind what is covered,
// below a start that is not the beginning, and inside a stretch that was thinned.
func (m *Map) Holds(y Dest) (holds, known bool) {
	switch at := int64(y); {
	case at < m.pages[0].start[dst]:
		return false, m.complete
	case at >= m.covered[dst]:
		return false, false
	case at >= m.recordsEnd()[dst]:
		return false, true
	default:
		r := m.runBefore(at, dst)
		return r.holds(at)
	}
}

// holds says whether a record of the run lies at y, which is before the run's end.
func (r run) holds(y int64) (holds, known bool) {
	switch {
	case y < r.at[dst]:
		return false, true
	case r.gap[dst] == 0, y == r.at[dst], y == r.end()[dst]-1:
		return true, true
	}
	return false, false
}

// May says whether the record at source offset x may lie at destination offset y, as far as the map tells. What it does not cover may.
func (m *Map) May(x Source, y Dest) bool {
	s, d := int64(x), int64(y)
	if holds, known := m.Holds(y); known && !holds {
		return false
	}
	start, end := m.pages[0].start, m.recordsEnd()
	if s < start[src] || s >= end[src] || d < start[dst] || d >= end[dst] {
		return (s < start[src]) == (d < start[dst]) && (s >= end[src]) == (d >= end[dst])
	}
	r := m.runBefore(d, dst)
	k, at := s-r.at[src], d-r.at[dst]
	if k < 0 || s >= r.end()[src] {
		return false
	}
	return at >= max(0, k-r.gap[src]) && at <= k+r.gap[dst]
}
