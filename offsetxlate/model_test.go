package offsetxlate

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model keeps the pair of offsets of every record.
type model struct {
	records []pair
	end     pair // covered
	start   pair
	unknown bool // records below start were copied, and the map was not told
	logs    pair // where the logs begin
}

// want is the exact answer, with what both logs lost or without.
func (m *model) want(x int64, from side, lost bool) int64 {
	for _, r := range m.records {
		if r[from] >= x && (lost || !m.lost(r)) {
			return r[1-from]
		}
	}
	if from == dst {
		return m.end[src]
	}
	if len(m.records) == 0 {
		return m.start[dst]
	}
	return max(m.start[dst], m.records[len(m.records)-1][dst]+1)
}

func (m *model) lost(r pair) bool { return r[src] < m.logs[src] && r[dst] < m.logs[dst] }

// machine drives a map and the model side by side, with a store that may lose the end of a write.
type machine struct {
	m       *Map
	model   model
	store   map[Source][]byte
	mark    Mark
	blurred bool // thinned or trimmed: answers may be inexact
}

func newMachine(t *rapid.T) *machine {
	s := &machine{store: map[Source][]byte{}}
	start := pair{rapid.Int64Range(0, 50).Draw(t, "src start"), rapid.Int64Range(0, 50).Draw(t, "dst start")}
	if rapid.Bool().Draw(t, "unknown start") {
		for at := (pair{}); at[src] < start[src] && at[dst] < start[dst]; {
			s.model.records = append(s.model.records, at)
			at[src] += 1 + rapid.Int64Range(0, 2).Draw(t, "lost src gap")
			at[dst] += 1 + rapid.Int64Range(0, 2).Draw(t, "lost dst gap")
		}
		s.model.unknown = true
		s.m = NewUnknown(point(start))
	} else {
		s.m = New(point(start))
	}
	s.model.start, s.model.end = start, start
	s.write()
	return s
}

// gap is mostly none or small.
func gap(t *rapid.T, label string) int64 {
	return rapid.SampledFrom([]int64{0, 0, 0, 1, 1, 2, 7, 300, 100_000}).Draw(t, label)
}

// copyRecords copies a few runs of one shape, and then again.
func (s *machine) copyRecords(t *rapid.T) {
	for range rapid.IntRange(1, 4).Draw(t, "shapes") {
		skip := pair{gap(t, "src gap"), gap(t, "dst gap")}
		n := rapid.SampledFrom([]int64{1, 1, 2, 3, 10}).Draw(t, "n")
		s.copyRuns(t, rapid.IntRange(1, 200).Draw(t, "runs"), skip, n)
	}
}

func (s *machine) copyRuns(t *rapid.T, runs int, skip pair, n int64) {
	for range runs {
		at := pair{s.model.end[src] + skip[src], s.model.end[dst] + skip[dst]}
		if err := s.m.Append(Source(at[src]), Dest(at[dst]), n); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			s.model.records = append(s.model.records, pair{at[src] + i, at[dst] + i})
		}
		s.model.end = pair{at[src] + n, at[dst] + n}
	}
}

func (s *machine) advance(t *rapid.T) {
	s.model.end[src] += gap(t, "src gap")
	s.model.end[dst] += gap(t, "dst gap")
	if err := s.m.AdvanceSource(Source(s.model.end[src])); err != nil {
		t.Fatal(err)
	}
	if err := s.m.AdvanceDest(Dest(s.model.end[dst])); err != nil {
		t.Fatal(err)
	}
}

// somewhere is an offset in the log, a little before it, or behind.
func (s *machine) somewhere(t *rapid.T, on side) int64 {
	if len(s.model.records) == 0 || rapid.IntRange(0, 9).Draw(t, "any") == 0 {
		return rapid.Int64Range(0, s.model.end[on]+3).Draw(t, "offset")
	}
	i := rapid.IntRange(0, len(s.model.records)-1).Draw(t, "record")
	return max(0, s.model.records[i][on]+rapid.Int64Range(-1, 1).Draw(t, "beside"))
}

func (s *machine) thin(t *rapid.T) {
	s.blurred = true
	budget := rapid.IntRange(800, 8000).Draw(t, "budget")
	s.m.Thin(Source(s.somewhere(t, src)), budget)
	if size := s.m.Size(); size > max(budget, mapOverhead+2*(pageOverhead+2*pageBytes)) {
		t.Fatalf("thinned to %d bytes, budget %d", size, budget)
	}
}

func (s *machine) retain(t *rapid.T) {
	s.blurred = true
	on := side(rapid.IntRange(0, 1).Draw(t, "side"))
	to := s.somewhere(t, on)
	s.model.logs[on] = max(s.model.logs[on], to)
	if on == src {
		s.m.TrimSource(Source(to))
	} else {
		s.m.TrimDest(Dest(to))
	}
}

// recode sends the whole map through its codec.
func (s *machine) recode(t *rapid.T) {
	m, err := Decode(s.m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	s.m = m
	s.tellRetention()
	s.store = map[Source][]byte{} // its marks and graves are gone, so it is stored anew
	s.mark = 0
	s.write()
}

func (s *machine) tellRetention() {
	s.m.TrimSource(Source(s.model.logs[src]))
	s.m.TrimDest(Dest(s.model.logs[dst]))
}

func (s *machine) write() {
	pages, mark := s.m.EncodeSince(s.mark)
	s.apply(pages)
	s.mark = mark
}

func (s *machine) apply(pages []Page) {
	for _, p := range pages {
		if p.Data == nil {
			delete(s.store, p.Start)
			continue
		}
		s.store[p.Start] = p.Data
	}
}

// crash loses the end of the last write and all that was not written; the records behind are copied again, elsewhere.
func (s *machine) crash(t *rapid.T) {
	complete := s.m.Complete()
	pages, _ := s.m.EncodeSince(s.mark)
	s.apply(pages[:rapid.IntRange(0, len(pages)).Draw(t, "pages stored")])
	s.load(t)
	if complete && !s.m.Complete() && !s.model.unknown {
		t.Fatal("a write that was cut short left a hole")
	}
	end := s.m.End()
	s.model.end = pair{int64(end.Src), int64(end.Dst)}
	s.model.records = slices.DeleteFunc(s.model.records, func(r pair) bool {
		return r[src] >= s.model.end[src] && r[dst] >= s.model.end[dst]
	})
}

// truncate has the destination lose what lies behind an offset, and the process die while that is stored: then it is found once more.
func (s *machine) truncate(t *rapid.T) {
	s.write()
	d := s.somewhere(t, dst)
	if !s.m.TruncateDest(Dest(d)) {
		if d >= s.m.pages[0].start[dst] && !s.blurred {
			t.Fatalf("%d can't be cut off at, though nothing was thinned", d)
		}
		return
	}
	pages, _ := s.m.EncodeSince(s.mark)
	if n := rapid.IntRange(0, len(pages)).Draw(t, "pages of the cut stored"); n < len(pages) && !s.blurred {
		s.apply(pages[:n])
		s.load(t)
		if !s.m.TruncateDest(Dest(d)) {
			t.Fatalf("%d can't be cut off at a second time", d)
		}
	}
	s.write()
	s.model.records = slices.DeleteFunc(s.model.records, func(r pair) bool { return r[dst] >= d })
	end := s.m.End()
	if int64(end.Dst) > max(d, s.m.pages[0].start[dst]) {
		t.Fatalf("covers %v, cut off at %d", end, d)
	}
	if n := len(s.model.records); n > 0 && s.model.records[n-1][src] >= int64(end.Src) {
		t.Fatalf("covers %v, and %v is left", end, s.model.records[n-1])
	}
	s.model.end = pair{int64(end.Src), int64(end.Dst)}
}

// takeBack has the source lose what lies behind an offset, and the process die while that is stored: then it is found once more.
func (s *machine) takeBack(t *rapid.T) {
	s.write()
	at := s.somewhere(t, src)
	before := s.m.End()
	if !s.m.TruncateSource(Source(at)) {
		if at >= s.m.pages[0].start[src] && !s.blurred {
			t.Fatalf("%d can't be cut off at, though nothing was thinned", at)
		}
		return
	}
	if end := s.m.End(); end.Dst != before.Dst || end.Src > before.Src || int64(end.Src) > max(at, s.m.pages[0].start[src]) {
		t.Fatalf("covers %v, cut off at %d, and covered %v before", end, at, before)
	}
	pages, _ := s.m.EncodeSince(s.mark)
	if n := rapid.IntRange(0, len(pages)).Draw(t, "pages of the cut stored"); n < len(pages) && !s.blurred {
		s.apply(pages[:n])
		s.load(t)
		if !s.m.TruncateSource(Source(at)) {
			t.Fatalf("%d can't be cut off at a second time", at)
		}
		if err := s.m.AdvanceDest(before.Dst); err != nil { // as whoever opens the partition finds it
			t.Fatal(err)
		}
	}
	s.write()
	s.model.records = slices.DeleteFunc(s.model.records, func(r pair) bool { return r[src] >= at })
	end := s.m.End()
	s.model.end = pair{int64(end.Src), int64(end.Dst)}
}

func (s *machine) load(t *rapid.T) {
	var pages []Page
	for _, start := range slices.Sorted(maps.Keys(s.store)) {
		pages = append(pages, Page{Start: start, Data: s.store[start]})
	}
	m, err := Load(pages)
	if err != nil {
		t.Fatal(err)
	}
	s.m, s.mark = m, m.Mark()
	s.tellRetention()
	s.write()
	if got := len(s.store); got != len(m.pages) {
		t.Fatalf("%d pages in the store, %d in the map", got, len(m.pages))
	}
}

// check asks for an offset and holds the answer against every record.
func (s *machine) check(t *rapid.T) {
	for from := src; from <= dst; from++ {
		x := s.somewhere(t, from)
		p := s.m.find(x, from)
		again := int64(0)
		for _, r := range s.model.records {
			consumed := r[from] < x
			if !consumed && r[1-from] < p.offset && !s.model.lost(r) {
				t.Fatalf("side %d at %d: %+v skips %v", from, x, p, r)
			}
			if consumed && r[1-from] >= p.offset {
				again++
			}
		}
		if again > p.reread || (p.exact && p.reread != 0) {
			t.Fatalf("side %d at %d: %+v shows %d again", from, x, p, again)
		}
		want, most := s.model.want(x, from, true), s.model.want(x, from, false)
		if p.exact && p.offset != want && (p.how != HowStart || p.offset > most) {
			t.Fatalf("side %d at %d: %+v, want %d, or %d", from, x, p, want, most)
		}
		inside := x <= s.model.end[from] && (x >= s.model.start[from] || !s.model.unknown)
		if inside && !s.blurred && !p.exact {
			t.Fatalf("side %d at %d: %+v is not exact", from, x, p)
		}
	}
	if got := s.m.End(); got != point(s.model.end) {
		t.Fatalf("covered end %v, want %v", got, s.model.end)
	}
}

// TestMapAgainstModel drives the map through random logs, retention, thinning, restarts and cut writes.
func TestMapAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newMachine(t)
		t.Repeat(map[string]func(*rapid.T){
			"copy":      s.copyRecords,
			"advance":   s.advance,
			"thin":      s.thin,
			"retain":    s.retain,
			"recode":    s.recode,
			"write":     func(*rapid.T) { s.write() },
			"crash":     s.crash,
			"cut":       s.truncate,
			"take back": s.takeBack,
			"restart":   func(t *rapid.T) { s.write(); s.load(t) },
			"":          s.check,
		})
	})
}
