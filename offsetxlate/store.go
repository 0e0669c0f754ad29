package offsetxlate

import (
	"cmp"
	"fmt"
	"slices"
)

// Mark is a state of a map. What changes later is returned by EncodeSince(mark). 0 is before everything.
type Mark uint64

// grave is a page that is in the store and no longer in the map.
type grave struct {
	start int64
	mark  Mark
	first bool // it goes before what took its place is stored
}

// Mark is the state now. After Load it is what the store holds.
func (m *Map) Mark() Mark { return m.mark }

// EncodeSince returns the pages that changed since the mark, and the mark to go on from once they are stored: the last page and
// what is new behind it, apart from thinning and trimming. They have to be stored in this order, and one after the other may be
// missing from the end.
func (m *Map) EncodeSince(since Mark) ([]Page, Mark) {
	m.buried = slices.DeleteFunc(m.buried, func(g grave) bool { return g.mark < since })
	var out []Page
	for _, g := range m.buried {
		if g.first {
			out = append(out, Page{Start: Source(g.start)})
		}
	}
	for i := range m.pages {
		if m.pages[i].mark >= since {
			out = append(out, Page{Start: Source(m.pages[i].start[src]), Data: m.encodePage(i)})
		}
	}
	for _, g := range m.buried {
		if !g.first {
			out = append(out, Page{Start: Source(g.start)})
		}
	}
	m.mark++
	return out, m.mark
}

func (m *Map) bury(start pair) { m.buried = append(m.buried, grave{start: start[src], mark: m.mark}) }

// Load puts a map together from its stored pages, in any order. Pages that others have taken the place of are deleted by the next
// EncodeSince. Where a page is missing, the map begins behind the hole and is not Complete. It returns ErrCorrupt or ErrFuture if
// any page can't be read, or if there is none.
func Load(pages []Page) (*Map, error) {
	all := make([]stored, 0, len(pages))
	for _, p := range pages {
		s, err := decodePage(p.Data)
		if err != nil {
			return nil, fmt.Errorf("reading the page at %d: %w", p.Start, err)
		}
		if s.start[src] != int64(p.Start) {
			return nil, fmt.Errorf("page of %d at %d: %w", s.start[src], p.Start, ErrCorrupt)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no pages: %w", ErrCorrupt)
	}
	slices.SortFunc(all, func(a, b stored) int { return cmp.Compare(a.start[src], b.start[src]) })
	return assemble(all)
}

// assemble walks from the highest page that is a first one along the pages that begin where the one before ends.
func assemble(all []stored) (*Map, error) {
	m := &Map{mark: 1}
	first := 0
	for i, s := range all {
		if s.flags&flagFirst != 0 {
			first = i
		}
		if i > 0 && s.start[src] == all[i-1].start[src] {
			return nil, fmt.Errorf("two pages at %d: %w", s.start[src], ErrCorrupt)
		}
	}
	for _, s := range all[:first] {
		m.bury(s.start)
	}
	m.begin(all[first], all[first].flags == flagFirst|flagKnown)
	for _, s := range all[first+1:] {
		m.follow(s)
	}
	m.reopen()
	return m, nil
}

// follow takes the next page by its start: it goes on from the last one, or was joined into it, or lies behind a hole.
func (m *Map) follow(s stored) {
	end := m.last().end
	switch {
	case s.start == end:
		m.pages = append(m.pages, s.page)
	case s.start[src] < end[src]:
		m.bury(s.start)
		return
	default:
		for _, p := range m.pages {
			m.bury(p.start)
		}
		m.begin(s, false)
	}
	m.covered = s.covered
}

// begin makes s the first page, and has it stored as such.
func (m *Map) begin(s stored, complete bool) {
	if s.flags&flagFirst == 0 {
		s.mark = m.mark
	}
	m.pages, m.covered, m.complete = []page{s.page}, s.covered, complete
}

// reopen takes the last run out of the last page, so that it can be extended.
func (m *Map) reopen() {
	p := m.last()
	p.stride = 0
	kept := page{start: p.start, end: p.start}
	for c := p.cursor(); ; {
		r, ok := c.next()
		if !ok {
			return
		}
		if len(c.rest) > 0 {
			kept.add(r)
			continue
		}
		if r.dense() {
			m.open, p.runs, p.end, p.sample = r, kept.runs, kept.end, kept.sample
		}
		return
	}
}
