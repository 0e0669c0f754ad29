package offsetxlate

import (
	"errors"
	"slices"
	"testing"
)

// TestGrowthIsStoredInPieces stores a growing map every hundred transactions: each write costs what is new and a page.
func TestGrowthIsStoredInPieces(t *testing.T) {
	m, mark := New(Point{}), Mark(0)
	for i := range int64(100_000) {
		must(t, m.Append(Source(i*11), Dest(i*10), 10))
		if i%100 != 0 {
			continue
		}
		var pages []Page
		pages, mark = m.EncodeSince(mark)
		size := 0
		for _, p := range pages {
			size += len(p.Data)
		}
		if size > 2*pageBytes+300 {
			t.Fatalf("write after %d transactions: %d bytes", i, size)
		}
	}
	_, mark = m.EncodeSince(mark)
	if pages, _ := m.EncodeSince(mark); len(pages) != 0 {
		t.Errorf("nothing changed, and %d pages are to be stored", len(pages))
	}
}

// TestFailedWriteIsRepeated asks again from the mark before.
func TestFailedWriteIsRepeated(t *testing.T) {
	m := transactions(t, 1000)
	first, _ := m.EncodeSince(0)
	m.Thin(11_000, 1<<20)
	again, mark := m.EncodeSince(0)
	deleted := 0
	for _, p := range again {
		if p.Data == nil {
			deleted++
		}
	}
	if len(again) != len(first) || deleted != len(first)-len(m.pages) {
		t.Errorf("%d pages were there; then %d, %d of them deleted, %d in the map", len(first), len(again), deleted, len(m.pages))
	}
	if pages, _ := m.EncodeSince(mark); len(pages) != 0 {
		t.Errorf("stored, and %d pages are there again", len(pages))
	}
}

// TestLoadWithHole begins behind the missing page, says so, and keeps saying so.
func TestLoadWithHole(t *testing.T) {
	pages, _ := transactions(t, 5000).EncodeSince(0)
	for _, missing := range []int{0, 3} {
		rest := append(append([]Page(nil), pages[:missing]...), pages[missing+1:]...)
		m, err := Load(rest)
		must(t, err)
		if m.Start().Src != pages[missing+1].Start || m.Complete() {
			t.Errorf("without page %d: starts at %v, complete %t", missing, m.Start(), m.Complete())
		}
		if a := m.ToDest(5); a != (Answer[Dest]{How: HowBelowStart, Reread: 5}) {
			t.Errorf("without page %d: below: %+v", missing, a)
		}
		if a := m.ToDest(54_000); !a.Exact || a.Offset != 49_091 {
			t.Errorf("without page %d: above: %+v", missing, a)
		}
		next, _ := m.EncodeSince(m.Mark())
		if len(next) != missing+1 || next[0].Data == nil {
			t.Fatalf("without page %d: stores %v", missing, next)
		}
		again, err := Load(append(next[:1:1], pages[missing+2:]...))
		if err != nil || again.Complete() || again.Start() != m.Start() {
			t.Errorf("without page %d: again: %+v, %v", missing, again, err)
		}
	}
}

// TestLoadTakesTheLastStart has a first page that was stored before the ones that it replaces were deleted.
func TestLoadTakesTheLastStart(t *testing.T) {
	m := transactions(t, 5000)
	old, mark := m.EncodeSince(0)
	m.TrimDest(20_000)
	m.TrimSource(30_000)
	next, _ := m.EncodeSince(mark)
	for i := range old {
		if old[i].Start == next[0].Start {
			old[i] = next[0]
		}
	}
	again, err := Load(old)
	must(t, err)
	if again.Start() != m.Start() || !again.Complete() {
		t.Errorf("starts at %v, want %v", again.Start(), m.Start())
	}
	deleted, _ := again.EncodeSince(again.Mark())
	for _, p := range deleted {
		if p.Data != nil {
			t.Errorf("stores %d bytes at %d again", len(p.Data), p.Start)
		}
	}
	if len(deleted) != len(old)-len(m.pages) {
		t.Errorf("of %d stored pages %d are deleted, for a map of %d", len(old), len(deleted), len(m.pages))
	}
}

// TestTrimmedStart stores that the map begins later, and deletes what lies before, in one write.
func TestTrimmedStart(t *testing.T) {
	m := transactions(t, 5000)
	m.TrimDest(20_000)
	old, mark := m.EncodeSince(0)
	old = slices.DeleteFunc(old, func(p Page) bool { return p.Data == nil })
	m.TrimSource(Source(m.pages[0].end[src]))
	next, _ := m.EncodeSince(mark)
	if len(next) != 2 || next[0].Start != m.Start().Src || next[1].Data != nil || next[1].Start != 0 {
		t.Fatalf("stores %v", next)
	}
	again, err := Load(append(old[2:], next[0]))
	if err != nil || !again.Complete() || again.Start() != m.Start() {
		t.Errorf("%+v, %v", again, err)
	}
}

// TestLoadEndsInJoinedRun extends a map whose last stored page is a thinned one.
func TestLoadEndsInJoinedRun(t *testing.T) {
	m := transactions(t, 1000)
	m.Thin(9_000, 1<<20)
	pages, _ := m.EncodeSince(0)
	again, err := Load(pages[:1])
	must(t, err)
	end := again.End()
	must(t, again.Append(end.Src, end.Dst, 7))
	if a := again.ToDest(end.Src + 3); !a.Exact || a.Offset != end.Dst+3 {
		t.Errorf("behind the joined run: %+v, joined until %v", a, end)
	}
	if a := again.ToDest(end.Src / 2); a.Exact || a.Reread == 0 {
		t.Errorf("inside the joined run: %+v", a)
	}
	for range 1000 { // the page takes exact runs now, and is thinned again in its turn
		must(t, again.Append(again.End().Src+1, again.End().Dst, 1))
	}
	again.Thin(again.End().Src, 1<<20)
	if n := runs(again, int64(end.Src)+400); n > 2 {
		t.Errorf("%d entries after thinning", n)
	}
}

func TestLoadRefuses(t *testing.T) {
	pages, _ := transactions(t, 1000).EncodeSince(0)
	future := append([]byte(nil), pages[1].Data...)
	future[0]++
	cut := pages[1].Data[:len(pages[1].Data)/2]
	for _, tc := range []struct {
		name  string
		pages []Page
		want  error
	}{
		{"no pages", nil, ErrCorrupt},
		{"no data", []Page{{}}, ErrCorrupt},
		{"a future version", []Page{pages[0], {Start: pages[1].Start, Data: future}}, ErrFuture},
		{"cut", []Page{pages[0], {Start: pages[1].Start, Data: cut}}, ErrCorrupt},
		{"another start", []Page{{Start: 7, Data: pages[0].Data}}, ErrCorrupt},
		{"twice", []Page{pages[0], pages[0]}, ErrCorrupt},
	} {
		if _, err := Load(tc.pages); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}
