package offsetxlate

import "testing"

// transactions is a map of n transactions of ten records each.
func transactions(t testing.TB, n int64) *Map {
	t.Helper()
	m := New(Point{})
	for i := range n {
		if err := m.Append(Source(i*11), Dest(i*10), 10); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// TestThinKeepsWhatIsNeeded thins a million records below the middle: exact above it, and below it an entry per 64 Ki records.
func TestThinKeepsWhatIsNeeded(t *testing.T) {
	m := transactions(t, 100_000)
	before := m.Size()
	m.Thin(550_000, before)
	if entries := runs(m, 547_000); entries < 5 || entries > 12 {
		t.Errorf("%d entries for 500,000 records", entries)
	}
	if m.Size() > before*6/10 {
		t.Errorf("from %d to %d bytes", before, m.Size())
	}
	if a := m.ToDest(550_001); !a.Exact || a.Offset != 500_001 {
		t.Errorf("above: %+v", a)
	}
	a := m.ToDest(300_000) // a marker's place does not matter: 27,272 transactions and 8 records lie before it
	if a.Exact || a.How != HowThinned || a.Offset > 272_728 || a.Offset+Dest(a.Reread) < 272_728 || a.Reread > 2*Stride/10 {
		t.Errorf("below: %+v", a)
	}
	size := m.Size()
	m.Thin(550_000, before)
	if m.Size() != size {
		t.Errorf("thinning again: from %d to %d bytes", size, m.Size())
	}
}

// TestThinWithinTheBudget gives way from the oldest on where the places of groups leave no room.
func TestThinWithinTheBudget(t *testing.T) {
	m := transactions(t, 100_000)
	m.Thin(0, m.Size()/2)
	if a := m.ToDest(800_001); !a.Exact {
		t.Errorf("in the newer half: %+v", a)
	}
	if a := m.ToDest(11_001); a.Exact {
		t.Errorf("the oldest: %+v", a)
	}
	m.Thin(0, 4096)
	if m.Size() > 4096 {
		t.Errorf("%d bytes, budget 4096", m.Size())
	}
	if a := m.ToSource(999_995); !a.Exact || a.Offset != 99_999*11+5 {
		t.Errorf("the last transaction: %+v", a)
	}
}

// TestThinBeyondTheStride joins further where an entry per 64 Ki records is still too much.
func TestThinBeyondTheStride(t *testing.T) {
	m := New(Point{})
	for i := range int64(10_000) {
		must(t, m.Append(Source(i*(Stride+1)), Dest(i*Stride), Stride))
	}
	m.Thin(0, 4096)
	if m.Size() > 4096 {
		t.Errorf("%d bytes, budget 4096", m.Size())
	}
	if a := m.ToDest(Source(5_000 * (Stride + 1))); a.Offset > 5_000*Stride || a.Reread > 10_000 {
		t.Errorf("in the middle: %+v", a)
	}
}

// runs counts the entries below a source offset.
func runs(m *Map, below int64) (n int) {
	for i := range m.pages {
		for c := m.pages[i].cursor(); ; n++ {
			if r, ok := c.next(); !ok || r.end()[src] > below {
				break
			}
		}
	}
	return n
}

// TestRetentionOnOneSide keeps what the other side still holds, and answers with it.
func TestRetentionOnOneSide(t *testing.T) {
	m := transactions(t, 10_000)
	before := m.Size()
	m.TrimDest(50_000)
	if a := m.ToSource(5); a.Offset > 5 || m.Start() != (Point{}) || m.Size() > before*6/10 {
		t.Errorf("the source still holds it: %+v, from %d to %d bytes", a, before, m.Size())
	}
	m.TrimSource(100_000)
	start := m.Start()
	if start.Src < 52_000 || start.Src > 55_000 || start.Dst < 48_000 || start.Dst > 50_000 || !m.Complete() {
		t.Errorf("what both lost is not forgotten: %+v", start)
	}
	if a := m.ToDest(5); a.How != HowStart || a.Offset != start.Dst {
		t.Errorf("below: %+v, start %+v", a, start)
	}
}

// TestRetentionMakesComplete forgets that a map began at an unknown place once nothing of it is left.
func TestRetentionMakesComplete(t *testing.T) {
	m := NewUnknown(Point{100, 80})
	must(t, m.Append(100, 80, 10))
	mark := m.Mark()
	m.TrimSource(100)
	if m.Complete() {
		t.Error("the destination still holds what is unknown")
	}
	m.TrimDest(80)
	if !m.Complete() {
		t.Error("both logs begin where the map begins")
	}
	pages, _ := m.EncodeSince(mark)
	if again, err := Load(pages); err != nil || !again.Complete() {
		t.Errorf("stored: %v", err)
	}
}
