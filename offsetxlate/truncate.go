package offsetxlate

// TruncateDest forgets the records that lie at d or behind: the destination has lost them. The covered end is then the place behind the
// last record that is left. It returns false, and changes nothing, where it is not known which records those are: before the map's start,
// and inside a stretch that was thinned.
//
// The pages that go are deleted before the one in which d lies is stored, the last one first. What a store holds that was left off in
// between is an older state of the map: it may name records that are lost, never others.
func (m *Map) TruncateDest(d Dest) bool { return m.truncate(int64(d), dst) }

// TruncateSource forgets the records that lay at s or behind at the source, which took them back: others come to lie there. What was made
// of them at the destination stays there, without a place at the source. For the rest it is like TruncateDest.
func (m *Map) TruncateSource(s Source) bool {
	before := m.covered
	if !m.truncate(int64(s), src) {
		return false
	}
	m.covered = pair{min(before[src], max(int64(s), m.recordsEnd()[src])), before[dst]}
	return true
}

func (m *Map) truncate(cut int64, on side) bool {
	if end := m.recordsEnd()[on]; cut >= end {
		m.covered[on] = min(m.covered[on], max(cut, end))
		m.last().mark = m.mark
		return true
	}
	k := len(m.pages) - 1
	for k > 0 && m.pages[k].start[on] >= cut {
		k--
	}
	kept, ok := m.runsBelow(k, cut, on)
	if !ok || cut < m.pages[0].start[on] {
		return false
	}
	for i := len(m.pages) - 1; i > k; i-- {
		m.buried = append(m.buried, grave{start: m.pages[i].start[src], mark: m.mark, first: true})
	}
	m.refill(k, kept)
	return true
}

// runsBelow are the runs of page k that lie below cut, the last of them cut off there.
func (m *Map) runsBelow(k int, cut int64, on side) (kept []run, ok bool) {
	all := m.runsOf(k)
	for _, r := range all {
		if r.at[on] >= cut {
			break
		}
		if over := r.end()[on] - cut; over > 0 {
			if !r.dense() {
				return nil, false
			}
			r.n -= over
		}
		kept = append(kept, r)
	}
	return kept, true
}

func (m *Map) runsOf(k int) (all []run) {
	for c := m.pages[k].cursor(); ; {
		r, ok := c.next()
		if !ok {
			break
		}
		all = append(all, r)
	}
	if k == len(m.pages)-1 && m.open.n > 0 {
		all = append(all, m.open)
	}
	return all
}

// refill makes page k the last one, with these runs in it. The last of them can be extended, unless it was thinned.
func (m *Map) refill(k int, runs []run) {
	p := page{start: m.pages[k].start, end: m.pages[k].start, mark: m.mark}
	m.open = run{}
	for i, r := range runs {
		if i == len(runs)-1 && r.dense() {
			m.open = r
			break
		}
		p.add(r)
	}
	m.pages = append(append([]page(nil), m.pages[:k]...), p)
	m.covered = m.recordsEnd()
}
