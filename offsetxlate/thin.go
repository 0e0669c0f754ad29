package offsetxlate

// Stride is how many records lie between two entries of a thinned stretch, at least where there are so many.
const Stride = 64 << 10

// Thin joins runs below keepFrom, and then, from the oldest on, as many as it takes to bring Size down to maxBytes. It works on
// whole pages and never on the last one, so that a map is about 1 KB at least. Beyond the budget it makes some room, so that its
// cost is spread over many appends.
func (m *Map) Thin(keepFrom Source, maxBytes int) {
	k := 0
	for k < len(m.pages)-1 && m.pages[k].end[src] <= int64(keepFrom) {
		k++
	}
	m.thinPages(k, Stride)
	if m.Size() <= maxBytes {
		return
	}
	room := maxBytes - maxBytes/4
	for keep := len(m.pages) - k; keep > 1 && m.Size() > room; {
		keep -= max(1, keep/8)
		m.thinPages(len(m.pages)-keep, Stride)
	}
	for stride := int64(2 * Stride); stride <= MaxOffset && len(m.pages) > 2 && m.Size() > room; stride *= 2 {
		m.thinPages(len(m.pages)-1, stride)
	}
}

// TrimSource notes that the source's log begins at start. What is left at the destination alone is thinned.
func (m *Map) TrimSource(start Source) { m.trim(int64(start), src) }

// TrimDest notes that the destination's log begins at start. What is left at the source alone is thinned.
func (m *Map) TrimDest(start Dest) { m.trim(int64(start), dst) }

func (m *Map) trim(start int64, on side) {
	if start <= m.logStart[on] {
		return
	}
	m.logStart[on] = start
	m.dropPages()
	k := 0
	for k < len(m.pages)-1 && (m.pages[k].end[src] <= m.logStart[src] || m.pages[k].end[dst] <= m.logStart[dst]) {
		k++
	}
	m.thinPages(k, Stride)
}

// dropPages forgets what neither log holds any more. The map is complete from then on: nothing of what it forgot is left.
func (m *Map) dropPages() {
	k := 0
	for k < len(m.pages)-1 && m.pages[k].end[src] <= m.logStart[src] && m.pages[k].end[dst] <= m.logStart[dst] {
		m.bury(m.pages[k].start)
		k++
	}
	if k > 0 {
		m.pages = append([]page(nil), m.pages[k:]...)
	}
	first := &m.pages[0]
	gone := first.start[src] <= m.logStart[src] && first.start[dst] <= m.logStart[dst]
	if k > 0 || (gone && !m.complete) {
		m.complete = true
		first.mark = m.mark // it is stored with whether the map begins there, and how
	}
}

// thinPages joins the runs of the first k pages up to stride records each. New pages are made of whole old ones, and keep the
// start of the first, so that a store which has only some of the new pages still holds a map without a hole.
func (m *Map) thinPages(k int, stride int64) {
	done := 0
	for done < k && m.pages[done].stride >= stride && m.pages[done].full() {
		done++
	}
	if done == k || (done == k-1 && m.pages[done].stride >= stride) {
		return
	}
	out := append([]page(nil), m.pages[:done]...)
	for done < k {
		p, used := squeeze(m.pages[done:k], stride)
		p.mark = m.mark
		for _, gone := range m.pages[done+1 : done+used] {
			m.bury(gone.start)
		}
		out = append(out, p)
		done += used
	}
	m.pages = append(out, m.pages[k:]...)
}

// squeeze makes one page of the first pages, and says of how many.
func squeeze(pages []page, stride int64) (page, int) {
	out := page{start: pages[0].start, end: pages[0].start, stride: stride}
	var tail run
	used := 0
	for used < len(pages) && !out.full() {
		for c := pages[used].cursor(); ; {
			r, ok := c.next()
			if !ok {
				break
			}
			switch {
			case tail.n == 0:
				tail = r
			case tail.n+r.n <= stride:
				tail = tail.join(r)
			default:
				out.add(tail)
				tail = r
			}
		}
		used++
	}
	if tail.n > 0 {
		out.add(tail)
	}
	out.runs = append([]byte(nil), out.runs...) // the spare room goes back
	return out, used
}
