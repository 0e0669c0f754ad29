package offsetxlate

// side picks one of the two logs.
type side int

const (
	src side = 0
	dst side = 1
)

// pair is an offset, or a number of offsets, at either side.
type pair [2]int64

// run is a stretch of records that lie in the same order on both sides. The first record is at at, the last one just before
// end. With gap zero on both sides the run is dense; otherwise that many offsets between the first and the last record hold no
// record of this map, and it is not known which.
type run struct {
	at  pair
	n   int64
	gap pair
}

func (r run) end() pair { return pair{r.at[src] + r.n + r.gap[src], r.at[dst] + r.n + r.gap[dst]} }

func (r run) dense() bool { return r.gap == pair{} }

// join makes one run of two neighbours and forgets where the gap between them was.
func (r run) join(next run) run {
	end, n := next.end(), r.n+next.n
	return run{at: r.at, n: n, gap: pair{end[src] - r.at[src] - n, end[dst] - r.at[dst] - n}}
}

// place is an untyped answer.
type place struct {
	offset int64
	exact  bool
	how    How
	reread int64
}

// locate translates x, which lies before the run's end, to the other side.
//
// With k offsets of the run before x, between least and most records are consumed: the first and the last offset hold a
// record, and any of the others may be a gap. The first record that is not consumed is lowest on the other side when only least
// are consumed and all gaps there follow. The most is seen again when most are consumed, and the gaps on the other side come
// first.
func (r run) locate(x int64, from side) place {
	to := 1 - from
	k := x - r.at[from]
	if k <= 0 {
		return place{offset: r.at[to], exact: true, how: HowRun}
	}
	if r.dense() {
		return place{offset: r.at[to] + k, exact: true, how: HowRun}
	}
	least, most := max(1, k-r.gap[from]), min(k, r.n-1)
	if least == r.n-1 {
		return place{offset: r.end()[to] - 1, exact: true, how: HowThinned}
	}
	return place{
		offset: r.at[to] + least,
		exact:  least == most && r.gap[to] == 0,
		how:    HowThinned,
		reread: most - max(1, least-r.gap[to]),
	}
}
