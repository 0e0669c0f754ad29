package offsetxlate

// ToDest translates x, the next source offset to consume, to the next destination offset to consume: that of the first record
// with a source offset of x or more.
//
// Where every covered record lies before x, the answer is the place just behind the last of them. It is not the covered end: an
// application may have written into the copy there, and no consumed record is in between.
func (m *Map) ToDest(x Source) Answer[Dest] {
	p := m.find(int64(x), src)
	return Answer[Dest]{Offset: Dest(p.offset), Exact: p.exact, How: p.how, Reread: p.reread}
}

// ToSource translates y, the next destination offset to consume, to the next source offset to consume: that of the first record
// with a destination offset of y or more.
//
// Where every covered record lies before y, the answer is the covered end at the source: what lies between the last record and
// it is nothing that is copied.
func (m *Map) ToSource(y Dest) Answer[Source] {
	p := m.find(int64(y), dst)
	return Answer[Source]{Offset: Source(p.offset), Exact: p.exact, How: p.how, Reread: p.reread}
}

func (m *Map) find(x int64, from side) place {
	switch {
	case x < m.pages[0].start[from]:
		return m.below(x, from)
	case x > m.covered[from]:
		return place{offset: m.endOn(1 - from), how: HowNotCovered, reread: x - m.covered[from]}
	case x >= m.recordsEnd()[from]:
		return place{offset: m.endOn(1 - from), exact: true, how: HowEnd}
	}
	r := m.runBefore(x, from)
	return r.locate(x, from)
}

// below answers for x below the start. In a map that knows all there is, the first record is the first one that x has not
// consumed. Otherwise any record below the start may be.
func (m *Map) below(x int64, from side) place {
	to := 1 - from
	if !m.complete {
		return place{how: HowBelowStart, reread: max(0, min(x, m.pages[0].start[to]))}
	}
	if m.recordsEnd() == m.pages[0].start {
		return place{offset: m.endOn(to), exact: true, how: HowStart}
	}
	first := m.runBefore(m.pages[0].start[from], from)
	return place{offset: first.at[to], exact: true, how: HowStart}
}

// endOn is the place for whoever has consumed all that is covered.
func (m *Map) endOn(to side) int64 {
	if to == src {
		return m.covered[src]
	}
	return m.recordsEnd()[dst]
}

// runBefore finds the first run that ends behind x. There is one: x is at the first page's start or behind it, and before the
// end of the records.
func (m *Map) runBefore(x int64, from side) run {
	lo, hi := 0, len(m.pages)
	for hi-lo > 1 {
		if mid := int(uint(lo+hi) >> 1); m.pages[mid].start[from] <= x {
			lo = mid
		} else {
			hi = mid
		}
	}
	if r, ok := m.pages[lo].seek(x, from); ok {
		return r
	}
	return m.open
}

// Stretch returns where the record at destination offset y lies at the source, and how many records, that one among them, follow it without
// a gap on either side. ok is false where none lies there, and where that is not known: not yet, not from the beginning, or not any more.
func (m *Map) Stretch(y Dest) (x Source, n int64, ok bool) {
	if int64(y) < m.pages[0].start[dst] || int64(y) >= m.recordsEnd()[dst] {
		return 0, 0, false
	}
	r := m.runBefore(int64(y), dst)
	skip := int64(y) - r.at[dst]
	if !r.dense() || skip < 0 || skip >= r.n {
		return 0, 0, false
	}
	return Source(r.at[src] + skip), r.n - skip, true
}
