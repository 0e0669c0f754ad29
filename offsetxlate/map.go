package offsetxlate

import (
	"fmt"
	"slices"
)

// Map is the offset map of one partition at one destination.
type Map struct {
	pages    []page // never empty; the last one takes new runs
	open     run    // the run that may still be extended; it belongs to the last page and is not packed yet; n is 0 if none
	covered  pair   // the covered end
	logStart pair   // as far as retention was told
	complete bool   // below the first page the destination holds nothing that the source holds
	mark     Mark
	buried   []grave
}

// New returns the map of a partition whose copying begins at start: nothing from below start.Src was copied, or will be. start.Dst
// is the destination's log end at that time. Offsets below 0 count as 0.
func New(start Point) *Map { return newMap(start, true) }

// NewUnknown returns a map that begins at start while the destination may hold records of the origin below it, at places that
// are not known: the map was lost, or another tool copied them.
func NewUnknown(start Point) *Map { return newMap(start, false) }

func newMap(start Point, complete bool) *Map {
	at := pair{max(0, int64(start.Src)), max(0, int64(start.Dst))}
	return &Map{pages: []page{{start: at, end: at, mark: 1}}, covered: at, complete: complete, mark: 1}
}

// Append notes that n records from src on lie from dst on, one behind the other on both sides. It returns ErrBackwards where
// either lies below the covered end, and ErrRange for less than one record or an offset over MaxOffset; the map is unchanged then.
func (m *Map) Append(s Source, d Dest, n int64) error {
	at := pair{int64(s), int64(d)}
	if at[src] < m.covered[src] || at[dst] < m.covered[dst] {
		return fmt.Errorf("appending %d->%d behind %d->%d: %w", s, d, m.covered[src], m.covered[dst], ErrBackwards)
	}
	if n < 1 || n > MaxOffset || at[src] > MaxOffset-n || at[dst] > MaxOffset-n {
		return fmt.Errorf("appending %d records at %d->%d: %w", n, s, d, ErrRange)
	}
	if m.open.n > 0 && at == m.open.end() {
		m.open.n += n
	} else {
		m.closeRun()
		m.open = run{at: at, n: n}
	}
	m.covered = m.open.end()
	m.last().mark = m.mark
	return nil
}

// closeRun packs the open run and makes room for the next one.
func (m *Map) closeRun() {
	if m.open.n > 0 {
		m.last().add(m.open)
		m.open = run{}
	}
	if p := m.last(); p.full() {
		m.pages = append(m.pages, page{start: p.end, end: p.end})
		m.buried = slices.DeleteFunc(m.buried, func(g grave) bool { return g.start == p.end[src] }) // it is stored again
	}
}

// AdvanceSource notes that the source holds no further record to copy below to: markers, aborted transactions, compaction, a gap
// recorded by policy. It returns ErrBackwards below the covered end, ErrRange over MaxOffset.
func (m *Map) AdvanceSource(to Source) error { return m.advance(int64(to), src) }

// AdvanceDest notes that the destination holds no further record of this origin below to: a fence's marker was read back there,
// or what others wrote. It returns ErrBackwards below the covered end, ErrRange over MaxOffset.
func (m *Map) AdvanceDest(to Dest) error { return m.advance(int64(to), dst) }

func (m *Map) advance(to int64, on side) error {
	switch {
	case to < m.covered[on]:
		return fmt.Errorf("advancing from %d to %d: %w", m.covered[on], to, ErrBackwards)
	case to > MaxOffset:
		return fmt.Errorf("advancing to %d: %w", to, ErrRange)
	case to > m.covered[on]:
		m.covered[on] = to
		m.last().mark = m.mark
	}
	return nil
}

// Start is where the map begins. It rises as retention trims it.
func (m *Map) Start() Point { return point(m.pages[0].start) }

// End is the covered end: the next source offset that is not covered, and the next destination offset behind what is covered.
func (m *Map) End() Point { return point(m.covered) }

// Complete says that the destination holds nothing below Start that the source still holds, or ever will.
func (m *Map) Complete() bool { return m.complete }

func (m *Map) last() *page { return &m.pages[len(m.pages)-1] }

// recordsEnd is the place just behind the last record.
func (m *Map) recordsEnd() pair {
	if m.open.n > 0 {
		return m.open.end()
	}
	return m.last().end
}

// Memory that a map and each page of it take apart from the runs, in bytes; measured by a test.
const (
	mapOverhead  = 224
	pageOverhead = 104
	sampleSize   = 24
)

// Size is the memory that the map takes, in bytes.
func (m *Map) Size() int {
	size := mapOverhead + len(m.pages)*pageOverhead
	for i := range m.pages {
		size += cap(m.pages[i].runs) + cap(m.pages[i].sample)*sampleSize
	}
	return size
}

func point(p pair) Point { return Point{Src: Source(p[src]), Dst: Dest(p[dst])} }
