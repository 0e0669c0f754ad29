package offsetxlate

import (
	"testing"
)

// arrangements returns every way to lay n records and gap empty offsets in a row that begins and ends with a record.
func arrangements(n, gap int64) [][]int64 {
	var out [][]int64
	var walk func(at []int64, left int64)
	walk = func(at []int64, left int64) {
		i, last := int64(len(at)), at[len(at)-1]
		if i == n {
			if left == 0 {
				out = append(out, append([]int64(nil), at...))
			}
			return
		}
		for skip := range left + 1 {
			walk(append(at[:i:i], last+1+skip), left-skip)
		}
	}
	walk([]int64{0}, gap)
	return out
}

// TestLocateIsTight lays out every arrangement of small joined runs: the answer is the lowest first place that is not consumed of
// all of them, and the bound is what the worst of them shows again.
func TestLocateIsTight(t *testing.T) {
	for n := int64(1); n <= 5; n++ {
		for ga := range int64(4) {
			for gb := range int64(4) {
				checkLocate(t, run{at: pair{100, 200}, n: n, gap: pair{ga, gb}}, src)
				checkLocate(t, run{at: pair{100, 200}, n: n, gap: pair{gb, ga}}, dst)
			}
		}
	}
}

func checkLocate(t *testing.T, r run, from side) {
	t.Helper()
	to := 1 - from
	as, bs := arrangements(r.n, r.gap[from]), arrangements(r.n, r.gap[to])
	if len(as) == 0 || len(bs) == 0 {
		return // a single record has no gap inside
	}
	for k := range r.end()[from] - r.at[from] {
		got := r.locate(r.at[from]+k, from)
		low, high, worst := int64(1)<<40, int64(-1), int64(0)
		for _, a := range as {
			consumed := count(a, func(v int64) bool { return v < k })
			for _, b := range bs {
				low, high = min(low, b[consumed]), max(high, b[consumed])
				again := count(b[:consumed], func(v int64) bool { return v >= got.offset-r.at[to] })
				worst = max(worst, again)
			}
		}
		if got.offset-r.at[to] != low || got.exact != (low == high) || got.reread != worst {
			t.Fatalf("%+v from %d at +%d: got %+v, want +%d, exact %t, reread %d", r, from, k, got, low, low == high, worst)
		}
	}
}

func count(v []int64, is func(int64) bool) (n int64) {
	for _, x := range v {
		if is(x) {
			n++
		}
	}
	return n
}
