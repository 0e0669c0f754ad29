package offsetxlate

import (
	"errors"
	"testing"
	"unsafe"
)

// drawn is the map in the drawing of the package's documentation.
func drawn(t *testing.T) *Map {
	t.Helper()
	m := New(Point{})
	must(t, m.Append(0, 0, 5))
	must(t, m.Append(6, 5, 3))
	must(t, m.AdvanceSource(12))
	must(t, m.AdvanceDest(9))
	must(t, m.Append(12, 10, 2))
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestToDest(t *testing.T) {
	m := drawn(t)
	must(t, m.AdvanceSource(16)) // markers behind the last record
	must(t, m.AdvanceDest(15))   // a fence's marker, and what an application wrote
	for _, tc := range []struct {
		x    Source
		want Answer[Dest]
	}{
		{0, Answer[Dest]{Offset: 0, Exact: true, How: HowRun}},
		{4, Answer[Dest]{Offset: 4, Exact: true, How: HowRun}},
		{5, Answer[Dest]{Offset: 5, Exact: true, How: HowRun}}, // the marker
		{8, Answer[Dest]{Offset: 7, Exact: true, How: HowRun}},
		{9, Answer[Dest]{Offset: 10, Exact: true, How: HowRun}}, // inside the aborted transaction
		{11, Answer[Dest]{Offset: 10, Exact: true, How: HowRun}},
		{13, Answer[Dest]{Offset: 11, Exact: true, How: HowRun}},
		{14, Answer[Dest]{Offset: 12, Exact: true, How: HowEnd}}, // not 15: what the application wrote is not skipped
		{16, Answer[Dest]{Offset: 12, Exact: true, How: HowEnd}},
		{17, Answer[Dest]{Offset: 12, How: HowNotCovered, Reread: 1}},
		{20, Answer[Dest]{Offset: 12, How: HowNotCovered, Reread: 4}},
	} {
		if got := m.ToDest(tc.x); got != tc.want {
			t.Errorf("ToDest(%d) = %+v, want %+v", tc.x, got, tc.want)
		}
	}
}

func TestToSource(t *testing.T) {
	m := drawn(t)
	must(t, m.AdvanceSource(16))
	must(t, m.AdvanceDest(15))
	for _, tc := range []struct {
		y    Dest
		want Answer[Source]
	}{
		{0, Answer[Source]{Offset: 0, Exact: true, How: HowRun}},
		{5, Answer[Source]{Offset: 6, Exact: true, How: HowRun}},
		{8, Answer[Source]{Offset: 12, Exact: true, How: HowRun}}, // the fence's marker
		{9, Answer[Source]{Offset: 12, Exact: true, How: HowRun}}, // what an application wrote
		{12, Answer[Source]{Offset: 16, Exact: true, How: HowEnd}},
		{15, Answer[Source]{Offset: 16, Exact: true, How: HowEnd}},
		{17, Answer[Source]{Offset: 16, How: HowNotCovered, Reread: 2}},
	} {
		if got := m.ToSource(tc.y); got != tc.want {
			t.Errorf("ToSource(%d) = %+v, want %+v", tc.y, got, tc.want)
		}
	}
}

// TestEveryOffset asks a map of many pages for every offset, before and after it was stored.
func TestEveryOffset(t *testing.T) {
	m := transactions(t, 3000)
	again, err := Decode(m.Encode())
	must(t, err)
	for i := range int64(3000 * 11) {
		x, want := Source(i), Dest(i-i/11)
		if i%11 == 10 {
			want = Dest(i/11*10 + 10) // the marker
		}
		if a := m.ToDest(x); a.Offset != want || a.Exact != true || again.ToDest(x) != a {
			t.Fatalf("ToDest(%d) = %+v, want %d; stored %+v", x, a, want, again.ToDest(x))
		}
		if i%11 == 10 {
			continue
		}
		if a := m.ToSource(want); a.Offset != x || a.Exact != true || again.ToSource(want) != a {
			t.Fatalf("ToSource(%d) = %+v, want %d; stored %+v", want, a, x, again.ToSource(want))
		}
	}
}

func TestBelowTheStart(t *testing.T) {
	known, unknown := New(Point{1000, 40}), NewUnknown(Point{1000, 40})
	if got, want := known.ToDest(7), (Answer[Dest]{Offset: 40, Exact: true, How: HowStart}); got != want {
		t.Errorf("nothing copied yet: %+v, want %+v", got, want)
	}
	must(t, known.Append(1010, 41, 5))
	must(t, unknown.Append(1010, 41, 5))
	if got, want := known.ToDest(7), (Answer[Dest]{Offset: 41, Exact: true, How: HowStart}); got != want {
		t.Errorf("known start: %+v, want %+v", got, want)
	}
	if got, want := known.ToSource(7), (Answer[Source]{Offset: 1010, Exact: true, How: HowStart}); got != want {
		t.Errorf("known start, back: %+v, want %+v", got, want)
	}
	if got, want := unknown.ToDest(700), (Answer[Dest]{How: HowBelowStart, Reread: 40}); got != want {
		t.Errorf("unknown start: %+v, want %+v", got, want)
	}
	if got, want := unknown.ToSource(7), (Answer[Source]{How: HowBelowStart, Reread: 7}); got != want {
		t.Errorf("unknown start, back: %+v, want %+v", got, want)
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(m *Map) error
		want error
	}{
		{"source goes back", func(m *Map) error { return m.Append(13, 12, 1) }, ErrBackwards},
		{"destination goes back", func(m *Map) error { return m.Append(14, 11, 1) }, ErrBackwards},
		{"a covered gap is filled", func(m *Map) error { return errors.Join(m.AdvanceSource(20), m.Append(15, 12, 1)) }, ErrBackwards},
		{"no records", func(m *Map) error { return m.Append(14, 12, 0) }, ErrRange},
		{"too many", func(m *Map) error { return m.Append(14, 12, MaxOffset) }, ErrRange},
		{"overflow", func(m *Map) error { return m.Append(1<<62, 12, 1<<62) }, ErrRange},
		{"source advances back", func(m *Map) error { return m.AdvanceSource(13) }, ErrBackwards},
		{"destination advances back", func(m *Map) error { return m.AdvanceDest(11) }, ErrBackwards},
		{"advances too far", func(m *Map) error { return m.AdvanceSource(MaxOffset + 1) }, ErrRange},
	} {
		m := drawn(t)
		if err := tc.do(m); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
		if len(m.pages) != 1 || m.recordsEnd() != (pair{14, 12}) {
			t.Errorf("%s: the map changed: %+v", tc.name, m)
		}
	}
}

// TestSize holds the figures of the documentation: the overheads are what the compiler says, and a quiet partition takes 1 KB.
func TestSize(t *testing.T) {
	if got := int(unsafe.Sizeof(Map{})); got > mapOverhead {
		t.Errorf("a map takes %d bytes, counted as %d", got, mapOverhead)
	}
	if got := int(unsafe.Sizeof(page{})); got > pageOverhead {
		t.Errorf("a page takes %d bytes, counted as %d", got, pageOverhead)
	}
	if got := int(unsafe.Sizeof(sample{})); got != sampleSize {
		t.Errorf("a sample takes %d bytes, counted as %d", got, sampleSize)
	}
	m := New(Point{})
	for i := range int64(1_000_000) {
		must(t, m.Append(Source(i*1000), Dest(i*1000), 1000))
	}
	if m.Size() > 1024 || m.ToDest(123_456_789).Offset != 123_456_789 {
		t.Errorf("a billion records without a gap take %d bytes", m.Size())
	}
}

// TestBytesAGap holds what a gap costs in the store.
func TestBytesAGap(t *testing.T) {
	m := New(Point{})
	const transactions = 10_000
	for i := range int64(transactions) {
		must(t, m.Append(Source(i*11), Dest(i*10), 10))
	}
	if got := float64(len(m.Encode())) / transactions; got > 2.2 {
		t.Errorf("%.2f bytes a gap", got)
	}
	if a := m.ToDest(11*5000 + 3); !a.Exact || a.Offset != 50_003 {
		t.Errorf("inside transaction 5000: %+v", a)
	}
}
