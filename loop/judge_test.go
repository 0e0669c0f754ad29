package loop

import (
	"bytes"
	"testing"
)

const (
	us Origin = iota
	eu
	ap
	gone
)

type noMap struct{ place Place }

func (m noMap) Place(Batch, Header, int64) Place { return m.place }

// newJudge judges eu's orders/3 on its way to us: producer id 20 is eu's writer for us, 30 that for ap, 40 for a cluster that us takes from
// elsewhere; 50 was judged to be an application's.
func newJudge(t testing.TB) *Judge {
	o := &Origins{}
	for _, s := range []string{"us", "eu", "MkU3OEVBNTcwNTJENDM2Qg", "gone"} {
		o.Number(id(t, s))
	}
	w := NewWriters()
	for pid, origin := range map[int64]Origin{20: us, 30: ap, 40: gone} {
		if err := w.Register(pid, origin); err != nil {
			t.Fatal(err)
		}
	}
	w.ReadSince(10)
	w.whose(50, 5)
	f := NewFrontiers(us)
	return &Judge{
		Destination: us, Source: eu, Topic: TopicTag("orders"), Number: 3, Incarnation: 1, Origins: o, Writers: w, Taken: f, Part: f.Part("orders", 3),
		From: []bool{false, true, true, false}, Map: noMap{Elsewhere},
	}
}

func header(t testing.TB, cluster, topic string, part int32, at Coordinate) []byte {
	return AppendHeader(nil, id(t, cluster), TopicTag(topic), part, at)
}

func TestBatches(t *testing.T) {
	app := Batch{Magic: 2, ProducerID: 50, LeaderEpoch: 4, First: 100, Last: 109, Fetched: 20}
	with := func(change func(*Batch)) Batch {
		b := app
		change(&b)
		return b
	}
	by := func(id int64) Batch { return with(func(b *Batch) { b.ProducerID = id }) }
	for _, c := range []struct {
		what  string
		b     Batch
		setup func(*Judge)
		act   Act
		why   Why
	}{
		{"an application's", app, nil, Records, Produced},
		{"without an id", by(-1), nil, Records, Produced},
		{"of an id never met", by(60), nil, Wait, Barrier},
		{"of an id that the barrier did not find", with(func(b *Batch) { b.ProducerID, b.Fetched = 60, 9 }), nil, Records, Produced},
		{"a marker", with(func(b *Batch) { b.Control = true }), nil, Suppress, Marker},
		{"an old format", with(func(b *Batch) { b.Magic = 1 }), nil, Stop, OldFormat},
		{"the destination's own", by(20), nil, Suppress, Own},
		{"another origin's", by(30), nil, Records, Carried},
		{"an origin's that comes another way", by(40), nil, Suppress, OtherSource},
		{"local, which comes another way", app, func(j *Judge) { j.From[eu] = false }, Suppress, OtherSource},
		{"local, all seen", app, func(j *Judge) { j.Taken.Advance(eu, j.Part, Coordinate{1, 4, 109}) }, Suppress, Seen},
		{"local, below an epoch that is known", app, func(j *Judge) { j.Taken.Advance(eu, j.Part, Coordinate{1, 5, 0}) }, Suppress, Seen},
		{"local, of a new incarnation", app, func(j *Judge) { j.Taken.Advance(eu, j.Part, Coordinate{0, 9, 500}) }, Records, Produced},
		{"local, provenance batch", app, func(j *Judge) { j.Provenance = Batches }, Deliver, Produced},
		{"local, provenance batch, half seen", app, func(j *Judge) {
			j.Provenance = Batches
			j.Taken.Advance(eu, j.Part, Coordinate{1, 4, 104})
		}, Records, Produced},
		{"own, provenance batch", by(20), func(j *Judge) { j.Provenance = Batches }, Suppress, Own},
		{"a third's, provenance batch", by(30), func(j *Judge) { j.Provenance = Batches }, Stop, ThirdCluster},
		{"a writer of what is at home there", by(70), func(j *Judge) { _ = j.Writers.Register(70, eu) }, Stop, WrongHeader},
		{"a lost registry", app, func(j *Judge) { j.Writers.Lose() }, Stop, LostRegistry},
		{"an id of two origins", app, func(j *Judge) { _ = j.Writers.Register(20, ap) }, Stop, TwoOrigins},
		{"a writer that registered late", app, func(j *Judge) { _ = j.Writers.Register(50, ap) }, Stop, LostRegistry},
	} {
		j := newJudge(t)
		if c.setup != nil {
			c.setup(j)
		}
		if r := j.Batch(c.b); r.Act != c.act || r.Why != c.why {
			t.Errorf("%s: %d %s, want %d %s", c.what, r.Act, r.Why, c.act, c.why)
		}
	}
}

func TestRecords(t *testing.T) {
	const apID = "MkU3OEVBNTcwNTJENDM2Qg"
	at := Coordinate{0, 2, 70}
	good := header(t, apID, "orders", 3, at)
	for _, c := range []struct {
		what   string
		id     int64
		header []byte
		setup  func(*Judge)
		act    Act
		why    Why
	}{
		{"carried", 30, good, nil, Deliver, Carried},
		{"carried, seen", 30, good, func(j *Judge) { j.Taken.Advance(ap, j.Part, at) }, Suppress, Seen},
		{"carried, behind a gap", 30, good, func(j *Judge) {
			j.Behind, j.BehindAsOf = NewFrontiers(eu), 6
			j.Behind.Note(ap, j.Behind.Part("orders", 3), Gap{Coordinate{0, 2, 60}, Coordinate{0, 2, 65}, GapRetention})
		}, Wait, AtGap},
		{"carried, behind a gap that is passed", 30, good, func(j *Judge) {
			j.Behind = NewFrontiers(eu)
			j.Behind.Note(ap, j.Behind.Part("orders", 3), Gap{Coordinate{0, 2, 60}, Coordinate{0, 2, 65}, GapRetention})
			j.BehindAsOf = 6
			j.Taken.Pass(ap, j.Part, Coordinate{0, 2, 65})
		}, Deliver, Carried},
		{"carried, behind a jump, and the gaps were read before it", 30, good, func(j *Judge) {
			j.Behind, j.BehindAsOf = NewFrontiers(eu), 5
		}, Wait, GapBarrier},
		{"carried, the next one, and the gaps were read before it", 30, good, func(j *Judge) {
			j.Behind, j.BehindAsOf = NewFrontiers(eu), 5
			j.Taken.Pass(ap, j.Part, at)
		}, Deliver, Carried},
		{"carried, behind a gap of a partition with another number there", 30, good, func(j *Judge) {
			j.Behind, j.BehindAsOf = NewFrontiers(eu), 6
			j.Behind.Part("orders", 7)
			j.BehindPart = j.Behind.Part("orders", 3)
			j.Behind.Note(ap, j.BehindPart, Gap{Coordinate{0, 2, 60}, Coordinate{0, 2, 65}, GapRetention})
		}, Wait, AtGap},
		{"carried, no header", 30, nil, nil, Stop, NoHeader},
		{"carried, cut short", 30, good[:9], nil, Stop, BadHeader},
		{"carried, too long", 30, append(bytes.Clone(good), 1), nil, Stop, BadHeader},
		{"carried, future", 30, append([]byte{9}, good[1:]...), nil, Stop, FutureHeader},
		{"carried, another's header", 30, header(t, "gone", "orders", 3, at), nil, Stop, WrongHeader},
		{"carried, unknown cluster", 30, header(t, "nobody", "orders", 3, at), nil, Stop, WrongHeader},
		{"carried, another partition", 30, header(t, apID, "orders", 4, at), nil, Stop, WrongHeader},
		{"carried, another topic", 30, header(t, apID, "payments", 3, at), nil, Stop, WrongHeader},
		{"local", 50, nil, nil, Stamp, Produced},
		{"local, seen", 50, nil, func(j *Judge) { j.Taken.Advance(eu, j.Part, Coordinate{1, 4, 100}) }, Suppress, Seen},
		{"a copied header", 50, good, nil, Stamp, CopiedHeader},
		{"a copied header, map behind", 50, good, func(j *Judge) { j.Map = noMap{NotCovered} }, Wait, Uncovered},
		{"the original of a lost writer", 50, good, func(j *Judge) { j.Map = noMap{Here} }, Stop, LostRegistry},
		{"the original of a lost writer, of a cluster that the registry does not name", 50, header(t, "nobody", "orders", 3, at), func(j *Judge) { j.Map = noMap{Here} }, Stop, LostRegistry},
		{"a header of another topic", 50, header(t, apID, "payments", 3, at), func(j *Judge) { j.Map = noMap{Here} }, Stamp, CopiedHeader},
		{"a header of what is at home there", 50, header(t, "eu", "orders", 3, at), func(j *Judge) { j.Map = noMap{Here} }, Stamp, CopiedHeader},
		{"an application's own header of that name", 50, []byte("hello"), func(j *Judge) { j.Map = noMap{Here} }, Stamp, CopiedHeader},
		{"provenance batch, with any header", 50, good, func(j *Judge) { j.Provenance = Batches }, Deliver, Produced},
	} {
		j := newJudge(t)
		if c.setup != nil {
			c.setup(j)
		}
		b := Batch{Magic: 2, ProducerID: c.id, LeaderEpoch: 4, First: 100, Last: 109, Fetched: 5}
		if r := j.Record(b, j.rule(b), 100, c.header, c.header != nil); r.Act != c.act || r.Why != c.why {
			t.Errorf("%s: %d %s, want %d %s", c.what, r.Act, r.Why, c.act, c.why)
		}
	}
}

// TestJumps has a record behind a gap: the ruling says where the gap begins, for up to there nothing is missing; and gaps that were read before
// the batch say nothing.
func TestJumps(t *testing.T) {
	gap := Gap{Coordinate{0, 2, 60}, Coordinate{0, 2, 65}, GapRetention}
	for _, c := range []struct {
		next, at int64
		asOf     Tick
		act      Act
		why      Why
		from     int64
	}{
		{50, 70, 6, Wait, AtGap, 60},
		{60, 70, 6, Wait, AtGap, 60},
		{62, 70, 6, Wait, AtGap, 62},
		{65, 70, 6, Deliver, Carried, 70},
		{50, 55, 6, Deliver, Carried, 55},
		{50, 55, 5, Wait, GapBarrier, 55},
		{50, 70, 5, Wait, GapBarrier, 70},
		{70, 70, 5, Deliver, Carried, 70},
	} {
		j := newJudge(t)
		j.Taken.Pass(ap, j.Part, Coordinate{0, 2, c.next})
		j.Behind, j.BehindAsOf = NewFrontiers(eu), c.asOf
		j.Behind.Note(ap, j.Behind.Part("orders", 3), gap)
		b := Batch{Magic: 2, ProducerID: 30, LeaderEpoch: 4, First: 100, Last: 109, Fetched: 5}
		at := Coordinate{0, 2, c.at}
		r := j.Record(b, j.Batch(b), 100, header(t, "MkU3OEVBNTcwNTJENDM2Qg", "orders", 3, at), true)
		if r.Act != c.act || r.Why != c.why || r.At != (Coordinate{0, 2, c.from}) {
			t.Errorf("%+v: %d %s at %s", c, r.Act, r.Why, r.At)
		}
	}
}

// rule is Batch, for batches whose records are looked at in any case.
func (j *Judge) rule(b Batch) Ruling {
	r := j.Batch(b)
	if r.Act != Records && r.Why == Seen {
		r.Why = Produced
	}
	return r
}

// TestSpan compares with what is said of each record, for all frontiers and gaps over a batch of six records.
func TestSpan(t *testing.T) {
	whole := 0
	for next := range int64(20) {
		for gap := range int64(20) {
			j := newJudge(t)
			j.Taken.Pass(ap, j.Part, Coordinate{0, 2, next})
			j.Behind, j.BehindAsOf = NewFrontiers(eu), 6
			j.Behind.Note(ap, j.Behind.Part("orders", 3), Gap{Coordinate{0, 2, gap}, Coordinate{0, 2, gap + 1}, GapRetention})
			b := Batch{Magic: 2, ProducerID: 30, LeaderEpoch: 4, First: 100, Last: 105, Fetched: 5}
			of, all := j.Batch(b), []Ruling{}
			for i := range int64(6) { // at 2, 5, .. 17
				all = append(all, j.Record(b, of, 100+i, header(t, "MkU3OEVBNTcwNTJENDM2Qg", "orders", 3, Coordinate{0, 2, 2 + 3*i}), true))
			}
			got := j.Span(all[0], all[5])
			if got.Act == Records {
				continue
			}
			whole++
			for i, r := range all {
				if r.Act != got.Act || r.Why != got.Why {
					t.Fatalf("frontier %d, gap %d: %d %s as a whole, record %d is %d %s", next, gap, got.Act, got.Why, i, r.Act, r.Why)
				}
			}
		}
	}
	if whole == 0 {
		t.Error("nothing was judged as a whole")
	}
}

func TestLocalsAreBounded(t *testing.T) {
	w := NewWriters()
	_ = w.Register(-5, us)
	w.ReadSince(10)
	for i := range int64(3 * maxLocals) {
		w.whose(i, 1)
	}
	if len(w.known) > maxLocals+2 || w.known[-5] != us {
		t.Errorf("%d producer ids are remembered", len(w.known))
	}
}

func TestJudgeAllocatesNothing(t *testing.T) {
	j, h := newJudge(t), header(t, "MkU3OEVBNTcwNTJENDM2Qg", "orders", 3, Coordinate{0, 2, 70})
	for _, pid := range []int64{-1, 20, 30, 40, 50} {
		b := Batch{Magic: 2, ProducerID: pid, LeaderEpoch: 4, First: 100, Last: 109, Fetched: 5}
		if n := testing.AllocsPerRun(100, func() {
			if r := j.Batch(b); r.Act == Records {
				j.Record(b, r, 100, h, true)
			}
		}); n != 0 {
			t.Errorf("producer id %d: %v allocations", pid, n)
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	for _, c := range []struct {
		what string
		id   int64
	}{{"no id", -1}, {"own", 20}, {"carried", 30}, {"application", 50}} {
		b.Run(c.what, func(b *testing.B) {
			j := newJudge(b)
			for i := range int64(1000) {
				j.Writers.whose(1000+i, 1)
			}
			x := Batch{Magic: 2, ProducerID: c.id, LeaderEpoch: 4, First: 100, Last: 109, Fetched: 5}
			var counters Counters
			b.ReportAllocs()
			for b.Loop() {
				counters.Count(j.Batch(x), 10)
			}
		})
	}
}

// BenchmarkApplications has as many producer ids as are remembered.
func BenchmarkApplications(b *testing.B) {
	j := newJudge(b)
	x := Batch{Magic: 2, LeaderEpoch: 4, First: 100, Last: 109, Fetched: 5}
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		x.ProducerID = 1000 + i*7919%(maxLocals-1000)
		j.Batch(x)
	}
}

func BenchmarkRecord(b *testing.B) {
	j, h := newJudge(b), header(b, "MkU3OEVBNTcwNTJENDM2Qg", "orders", 3, Coordinate{0, 2, 70})
	x := Batch{Magic: 2, ProducerID: 30, LeaderEpoch: 4, First: 100, Last: 109, Fetched: 5}
	r := j.Batch(x)
	b.ReportAllocs()
	for b.Loop() {
		j.Record(x, r, 100, h, true)
	}
}
