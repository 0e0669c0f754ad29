package offsetxlate

import (
	"math/rand/v2"
	"testing"
)

// TestHolds compares with a list of all records, for maps that are whole and for maps that were thinned.
func TestHolds(t *testing.T) {
	unknown, sure := 0, 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := New(Point{Src: 5, Dst: 7})
		at := map[Dest]Source{}
		s, d := Source(5), Dest(7)
		for range 1500 {
			s, d = s+Source(r.IntN(3)), d+Dest(r.IntN(4))
			n := int64(1 + r.IntN(4))
			must(t, m.Append(s, d, n))
			for i := range n {
				at[d+Dest(i)] = s + Source(i)
			}
			s, d = s+Source(n), d+Dest(n)
		}
		if seed%2 == 1 {
			m.Thin(m.End().Src, 1<<20)
		}
		must(t, m.AdvanceDest(d+3))
		for y := Dest(0); y < d+6; y++ {
			x, there := at[y]
			holds, known := m.Holds(y)
			switch {
			case known && holds != there, !known && seed%2 == 0 && y < d+3, known && y >= d+3:
				t.Fatalf("seed %d, place %d: %v, known %v, want %v", seed, y, holds, known, there)
			case there && !m.May(x, y):
				t.Fatalf("seed %d: %d lies at %d, and may not", seed, x, y)
			case !known:
				unknown++
				if far := x + 100_000; m.May(far, y) && y < d {
					t.Fatalf("seed %d: %d may lie at %d", seed, far, y)
				}
			}
			if other := Source(r.Int64N(int64(s))); known && holds && seed%2 == 0 && m.May(other, y) != (other == x) {
				t.Fatalf("seed %d: may %d lie at %d: %v", seed, other, y, m.May(other, y))
			} else if !known && !m.May(other, y) {
				sure++
			}
		}
	}
	if unknown == 0 || sure == 0 {
		t.Errorf("%d places were not known, %d of them were ruled out by the source", unknown, sure)
	}
	if holds, known := NewUnknown(Point{Src: 5, Dst: 7}).Holds(3); holds || known {
		t.Error("a map without its beginning knows what is below")
	}
}
