package loop

import "testing"

// TestWritersMet: what was met before a reading began is nobody's writer behind it, though the same batch is fetched again later; what was met
// after it began has to wait for another one.
func TestWritersMet(t *testing.T) {
	w := NewWriters()
	for id, fetched := range map[int64]Tick{60: 5, 61: 9, 62: 11} {
		if _, known := w.whose(id, fetched); known {
			t.Fatalf("%d is known before anything was read", id)
		}
	}
	w.whose(60, 8) // the later fetch does not move it
	_ = w.Register(61, ap)
	w.ReadSince(9)
	for _, c := range []struct {
		id    int64
		at    Tick
		o     Origin
		known bool
	}{
		{60, 20, local, true}, // it was met at 5, and the reading that began at 9 did not find it
		{61, 20, ap, true},
		{62, 20, local, false},
		{63, 8, local, true}, // fetched before the reading, and looked at after it
		{64, 9, local, false},
	} {
		if o, known := w.whose(c.id, c.at); o != c.o || known != c.known {
			t.Errorf("%d at %d: %d %v, want %d %v", c.id, c.at, o, known, c.o, c.known)
		}
	}
	w.ReadSince(12)
	if _, known := w.whose(62, 30); !known {
		t.Error("62 was met at 11, and is not known behind a reading that began at 12")
	}
	if len(w.met) != 0 {
		t.Errorf("%d producer ids are remembered as met that were settled", len(w.met))
	}
	w.ReadSince(3) // an older reading takes nothing back
	if _, known := w.whose(65, 7); !known {
		t.Error("an older reading moved the barrier back")
	}
	if w.Register(62, us) == nil || !w.lost {
		t.Error("62 was nobody's writer behind a barrier, and its registration is taken")
	}
}
