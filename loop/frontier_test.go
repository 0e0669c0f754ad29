package loop

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func anyCoordinate(t *rapid.T) Coordinate {
	return Coordinate{rapid.Int32Range(0, 2).Draw(t, "incarnation"), rapid.Int32Range(-1, 2).Draw(t, "epoch"), rapid.Int64Range(0, 6).Draw(t, "offset")}
}

// TestFrontierAgainstModel compares with a list of what happened.
func TestFrontierAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := NewFrontiers(9)
		p := f.Part("orders", rapid.Int32Range(0, 3).Draw(t, "partition"))
		next, gaps := Start, []Gap{}
		for range rapid.IntRange(0, 20).Draw(t, "steps") {
			c := anyCoordinate(t)
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				if got, want := f.Advance(1, p, c), c.Compare(next) >= 0; got != want {
					t.Fatalf("advance to %s from %s: %v", c, next, got)
				} else if got {
					next = c.Next()
				}
			case 1:
				f.Pass(1, p, c)
				next = highest(next, c)
			case 2:
				g := Gap{anyCoordinate(t), c, GapReason(rapid.IntRange(1, 2).Draw(t, "why"))}
				f.Note(1, p, g)
				if g.From = highest(g.From, next); g.From.Less(g.To) {
					gaps, next = append(gaps, g), g.To
				}
			}
			if f.Next(1, p) != next || f.Next(9, p) != Infinite || f.Next(2, p) != Start {
				t.Fatalf("frontier %s, want %s", f.Next(1, p), next)
			}
			from, to := anyCoordinate(t), anyCoordinate(t)
			_, got := f.Gaps(1, p).Between(from, to)
			want := false
			for _, g := range gaps {
				want = want || highest(from, g.From).Less(lowest(to, g.To))
			}
			if got != want && from.Less(to) {
				t.Fatalf("gaps %v between %s and %s: %v", f.Gaps(1, p), from, to, got)
			}
		}
		b := AppendFrontier(nil, next, f.Gaps(1, p))
		n, g, err := DecodeFrontier(b)
		if err != nil || n != next || !reflect.DeepEqual(g, f.Gaps(1, p)) {
			t.Fatalf("%v %v %v, want %v %v", n, g, err, next, f.Gaps(1, p))
		}
	})
}

func highest(a, b Coordinate) Coordinate {
	if a.Less(b) {
		return b
	}
	return a
}

func lowest(a, b Coordinate) Coordinate {
	if b.Less(a) {
		return b
	}
	return a
}

// FuzzDecodeFrontier takes anything; what decodes is what would be written.
func FuzzDecodeFrontier(f *testing.F) {
	f.Add(AppendFrontier(nil, Coordinate{0, 3, 70}, Gaps{{Start, Coordinate{0, 0, 3}, GapStart}, {Coordinate{0, 1, 5}, Coordinate{0, 1, 9}, GapRetention}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		next, gaps, err := DecodeFrontier(b)
		if err != nil {
			if !errors.Is(err, ErrFrontierFuture) && !errors.Is(err, ErrFrontierCorrupt) {
				t.Fatalf("unclassified: %v", err)
			}
			return
		}
		if out := AppendFrontier(nil, next, gaps); !bytes.Equal(out, b) {
			t.Fatalf("%x became %x", b, out)
		}
	})
}

// TestFrontiersMemory holds 10,000 partitions of 5 origins, a tenth of them with a gap.
func TestFrontiersMemory(t *testing.T) {
	const partitions, origins, limit = 10_000, 5, 64 << 20
	before := heap()
	f := NewFrontiers(origins)
	for i := range int32(partitions) {
		p := f.Part("orders-"+strconv.Itoa(int(i)/10), i%10)
		for o := range Origin(origins) {
			f.Advance(o, p, Coordinate{0, 7, int64(i)})
			if i%10 == 0 {
				f.Note(o, p, Gap{Coordinate{0, 7, int64(i) + 5}, Coordinate{0, 7, int64(i) + 9}, GapRetention})
			}
		}
	}
	used := heap() - before
	t.Logf("%d partitions of %d origins: %.1f MB", partitions, origins, float64(used)/1e6)
	if used > limit {
		t.Errorf("%d bytes, the limit is %d", used, limit)
	}
	runtime.KeepAlive(f)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestCatchUp passes what a source passed without a record, up to its first gap, which can then be seen as one that nobody fills.
func TestCatchUp(t *testing.T) {
	f := NewFrontiers(0)
	p := f.Part("orders", 0)
	gaps := Gaps{{Coordinate{0, 0, 4}, Coordinate{0, 0, 9}, GapRetention}}
	said := MakeOffer(f.Next(1, p), Coordinate{0, 0, 20}, Start, gaps)
	if said.Until != gaps[0].From {
		t.Fatalf("can be had until %s", said.Until)
	}
	f.CatchUp(1, p, said)
	if next := f.Next(1, p); next != gaps[0].From {
		t.Errorf("passed to %s", next)
	}
	v := View{Here: []Coordinate{f.Next(1, p)}, Neighbours: []Neighbour{{Cluster: "b", Reachable: true, Offers: []Offer{MakeOffer(f.Next(1, p), Coordinate{0, 0, 20}, Start, gaps)}}}}
	c := Choose(Choice{}, v, time.Unix(0, 0))
	if got := c.Gaps(v, time.Unix(0, 0).Add(Patience)); got[0].To != gaps[0].To {
		t.Errorf("gaps %v", got)
	}
	f.CatchUp(1, p, MakeOffer(Start, Coordinate{0, 0, 2}, Start, nil)) // older
	f.CatchUp(0, p, said)
	if f.Next(1, p) != gaps[0].From || f.Next(0, p) != Infinite {
		t.Error("went back, or moved at home")
	}
}
