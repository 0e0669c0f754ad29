package flow

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// mute is an owner that only remembers that the shard was to end.
type mute struct {
	partOwner
	failed error
}

func (*mute) needNote(*part)                                         {}
func (*mute) wakeFetch(*part)                                        {}
func (*mute) steppedOver(Spec, int64, int64, string, string)         {}
func (*mute) acked(*part, int64)                                     {}
func (*mute) foundStrange(*part, offsetxlate.Dest, offsetxlate.Dest) {}
func (s *mute) partFailed(err error)                                 { s.failed = err }

// loose is a part that reads nowhere, and whose batches go nowhere.
func loose(o partOwner) *part {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := &part{
		Spec:  Spec{At: "t"},
		sieve: passAll(), prog: checkpoint.Progress{SourceEpoch: -1}, owner: o, budget: NewBudget(1 << 30), state: CatchingUp, lastEpoch: -1, unnoted: nothingUnnoted, memory: kafka.DefaultMemory.Producer,
		xlate: offsetxlate.New(offsetxlate.Point{}),
	}
	p.outlet = (&Producer{ctx: ctx, dir: kafka.NewDirectory(nil, time.Hour)}).Outlet("t", 0, p.onAck, p.stuck)
	return p
}

// passAll is the sieve of prefix naming, behind a barrier, with no writers at the source.
func passAll() *sieve {
	r := newRegistered(nil)
	r.writers.ReadSince(1 << 62)
	return &sieve{registered: r, prefix: &loop.PrefixJudge{Destination: 1}}
}

// batchAt is a batch of n records of one topic's partition, from an offset on, of a leader's epoch.
func batchAt(t *testing.T, offset int64, epoch int32, n, size int) []byte {
	t.Helper()
	b := batch.NewBuilder()
	b.Reset(nil, batch.None, 64<<20)
	for range n {
		b.Append(entry{"k", make([]byte, size)}.record(time.Now().UnixMilli()))
	}
	data, err := b.Finish(-1, -1, -1)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint64(data, uint64(offset))
	binary.BigEndian.PutUint32(data[12:], uint32(epoch))
	return data
}

// fetched gives a part an answer with these batches.
func fetched(p *part, end int64, batches ...[]byte) {
	rp := kmsg.NewFetchResponseTopicPartition()
	rp.RecordBatches, rp.HighWatermark, rp.LastStableOffset = slices.Concat(batches...), end, end
	rp.DivergingEpoch.EndOffset = -1
	l := p.budget.lease(0, nil)
	p.deliver(kafka.Got{FetchResponseTopicPartition: &rp, Want: kafka.Want{Offset: int64(p.at)}}, l, newRecoder())
	l.done()
}

// What was read before a batch that can't be believed goes out, and its memory with it; the part reads on once the source is mended.
func TestCorruptBatchHoldsNothingBack(t *testing.T) {
	p := loose(&mute{})
	bad := batchAt(t, 20, 0, 10, 100)
	bad[len(bad)-1] ^= 1
	fetched(p, 30, batchAt(t, 0, 0, 10, 200<<10), batchAt(t, 10, 0, 10, 200<<10), bad)
	if p.state != Failed || p.reason.Code != kafka.CorruptBatch {
		t.Fatalf("state %s, reason %s", p.state, p.reason.Code)
	}
	for n := int64(0); n < 20; n += 10 {
		if len(p.busy) == 0 {
			t.Fatalf("of 20 records %d were sent", n)
		}
		p.onAck(Ack{Base: n})
	}
	if _, ok, _ := p.want(p.retryAt, queueBytes); !ok {
		t.Fatal("the part wants nothing any more")
	}
	if used := p.budget.Used(); used != 0 {
		t.Fatalf("%d bytes are held", used)
	}
	fetched(p, 30, batchAt(t, 20, 0, 10, 100))
	if p.state != Streaming || len(p.busy) != 1 {
		t.Fatalf("state %s and %d batches under way after the source was mended", p.state, len(p.busy))
	}
}

// marker is a transaction's end at an offset.
func marker(t *testing.T, offset int64, epoch int32) []byte {
	t.Helper()
	b := batch.NewBuilder()
	b.Reset(nil, batch.None, 1<<10)
	b.Append(entry{"\x00\x00\x00\x01", []byte{}}.record(time.Now().UnixMilli()))
	data, err := b.Finish(7, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint64(data, uint64(offset))
	binary.BigEndian.PutUint32(data[12:], uint32(epoch))
	data[22] |= 0x30 // transactional, control
	binary.BigEndian.PutUint32(data[17:], crc32.Checksum(data[21:], crc32.MakeTable(crc32.Castagnoli)))
	return data
}

// A leader that is told of an epoch that ended before the place that is read says that its log is another one. So the epoch that is stored
// with a place is that of the offset just before it, or none.
func TestStoredEpochIsThatOfThePlace(t *testing.T) {
	const unknown = -1
	type want struct {
		source offsetxlate.Source
		epoch  int32
	}
	for name, c := range map[string]struct {
		batches [][]byte
		acks    int
		want    want
	}{
		"data":                           {[][]byte{batchAt(t, 0, 3, 10, 1)}, 1, want{10, 3}},
		"a marker of a later epoch":      {[][]byte{batchAt(t, 0, 3, 10, 1), marker(t, 10, 4)}, 1, want{11, 4}},
		"a marker, and it is idle":       {[][]byte{batchAt(t, 0, 3, 10, 1), nil, marker(t, 10, 4)}, 1, want{11, 4}},
		"a marker and more":              {[][]byte{batchAt(t, 0, 3, 10, 1), marker(t, 10, 4), batchAt(t, 11, 4, 10, 20<<10)}, 1, want{11, 4}},
		"compaction, and another epoch":  {[][]byte{batchAt(t, 0, 3, 10, 1), batchAt(t, 20, 5, 10, 20<<10)}, 1, want{20, unknown}},
		"a marker, and then compaction":  {[][]byte{batchAt(t, 0, 3, 10, 1), marker(t, 10, 4), batchAt(t, 20, 5, 10, 20<<10)}, 1, want{20, unknown}},
		"another epoch right behind":     {[][]byte{batchAt(t, 0, 3, 10, 1), batchAt(t, 10, 5, 10, 20<<10)}, 1, want{10, 3}},
		"another epoch, and it is there": {[][]byte{batchAt(t, 0, 3, 10, 1), batchAt(t, 10, 5, 10, 20<<10)}, 2, want{20, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			p := loose(&mute{})
			acked := 0
			ack := func() {
				for len(p.busy) > 0 && acked < c.acks {
					acked++
					p.onAck(Ack{Base: int64(p.dest)})
					_, m := p.noteEntry()
					p.noted(m)
				}
			}
			for len(c.batches) > 0 {
				n := max(slices.IndexFunc(c.batches, func(b []byte) bool { return b == nil }), 0)
				if n == 0 {
					n = len(c.batches)
				}
				fetched(p, 1000, c.batches[:n]...)
				_, m := p.noteEntry()
				p.noted(m)
				ack()
				c.batches = c.batches[min(n+1, len(c.batches)):]
			}
			p.snapshot()
			if got := (want{offsetxlate.Source(p.prog.Read.At), p.prog.Read.Epoch}); got != c.want {
				t.Fatalf("the place is %+v, want %+v", got, c.want)
			}
		})
	}
}

// A map is stored before the place, so it may cover markers that are read again. What is read of them in smaller pieces is covered.
func TestMarkersAreReadAgainInPieces(t *testing.T) {
	p := loose(&mute{})
	p.at = 100
	p.advanceIdle()
	o := &mute{}
	again := loose(o)
	again.xlate = p.xlate
	again.at = 40
	again.advanceIdle()
	if o.failed != nil {
		t.Fatal(o.failed)
	}
	if at := again.prog.SourceOf(0); at != 40 {
		t.Fatalf("the frontier is %d", at)
	}
	if end := again.xlate.End().Src; end != 100 {
		t.Fatalf("the map ends at %d", end)
	}
}

// What is answered after an answer that broke the epoch belongs to another batch than the first under way: nothing is noted of it, and
// nothing more is sent.
func TestNothingIsNotedOrSentAfterTheEpochBroke(t *testing.T) {
	o := &mute{}
	p := loose(o)
	p.dest = 100
	if err := p.xlate.AdvanceDest(100); err != nil {
		t.Fatal(err)
	}
	p.answered = time.Now()
	fetched(p, 40, batchAt(t, 0, 0, 10, 2<<10), batchAt(t, 10, 0, 10, 2<<10), batchAt(t, 20, 0, 10, 2<<10))
	if len(p.busy) != 3 {
		t.Fatalf("%d batches are under way", len(p.busy))
	}
	p.onAck(Ack{Base: 90}) // a leader that has lost what was acknowledged
	p.onAck(Ack{Base: 100})
	if o.failed == nil || p.written != 0 || p.dest != 100 {
		t.Fatalf("%d records are noted as arrived, up to %d", p.written, p.dest)
	}
	fetched(p, 40, batchAt(t, 30, 0, 10, 2<<10))
	if len(p.busy) != 3 {
		t.Fatal("a batch was sent behind those that are not there")
	}
}

// A marker that could not be written is asked for again after a while, not at once: the loop would do nothing else.
func TestAFailedMarkerIsNotAskedForAtOnce(t *testing.T) {
	p := loose(&mute{})
	p.weak, p.markAt = true, time.Now().Add(-2*time.Second)
	now := time.Now()
	if !p.needsMark(now, 4*time.Minute) {
		t.Fatal("a weak partition that is idle needs no marker")
	}
	p.marked(false)
	if p.needsMark(now.Add(2*time.Second), 4*time.Minute) {
		t.Fatal("it is asked for again")
	}
	if !p.needsMark(now.Add(time.Minute), 4*time.Minute) {
		t.Fatal("it is never asked for again")
	}
}

// The shard asks its parts nothing while it holds its own lock: parts ask the shard with theirs held.
func TestLookingForFaintPartsHoldsNoPartUp(t *testing.T) {
	s := newShard(topology.Shard{}, told{}, &env{}, &Destination{Site: &Site{}}, slog.New(slog.DiscardHandler))
	p := loose(s)
	s.parts["t/0"] = p
	p.mu.Lock()
	looked, noted := make(chan struct{}), make(chan struct{})
	go func() {
		(&life{shard: s}).faint(time.Now())
		close(looked)
	}()
	for began := time.Now(); time.Since(began) < 100*time.Millisecond; {
		if !s.mu.TryLock() {
			continue
		}
		s.mu.Unlock()
	}
	go func() {
		s.needNote(p) // as a pump does
		close(noted)
	}()
	select {
	case <-noted:
	case <-time.After(5 * time.Second):
		t.Fatal("the shard and its part wait for each other")
	}
	p.mu.Unlock()
	<-looked
}

// The runs of a source with many gaps go to the progress topic in pieces that a broker takes; what is sent is noted before.
func TestNotesOfManyGapsAreBounded(t *testing.T) {
	p := loose(&mute{})
	var batches [][]byte
	const n = 100_000
	for i := range int64(n) {
		batches = append(batches, batchAt(t, 3*i, 0, 1, 1))
	}
	fetched(p, 3*n, batches...)
	most, notes := 0, 0
	for p.written < n {
		e, m, _ := p.note()
		most, notes = max(most, len(e.value)), notes+1
		prog, err := checkpoint.DecodeProgress(e.value)
		if err != nil {
			t.Fatal(err)
		}
		p.noted(m)
		for len(p.busy) > 0 {
			for _, c := range p.busy {
				for at, r := range c.runs {
					if got := prog.SourceOf(c.first + int64(at)); got != r.source { // each run is one record long
						t.Fatalf("record %d was sent before it was noted that it comes from %d: the note says %d", c.first, r.source, got)
					}
				}
			}
			p.onAck(Ack{Base: int64(p.dest)})
		}
		p.snapshot()
		if notes > n/maxNoted+100 {
			t.Fatalf("%d records went out with %d notes", p.written, notes)
		}
	}
	if most > ledgerBatch {
		t.Fatalf("a note has %d bytes", most)
	}
}

// What a leader was not asked for is not taken for "none".
func TestUnaskedIsUnknown(t *testing.T) {
	f, _, _, _ := reading(t)
	l := &life{shard: newShard(topology.Shard{}, told{}, &env{}, &Destination{Site: &Site{Dir: f.dir}}, slog.New(slog.DiscardHandler))}
	todo := map[kafka.Partition]*opening{}
	l.place(todo, "t/0", Spec{Topic: "t", Remote: "t"})
	for _, o := range todo {
		if o.count != -1 {
			t.Fatalf("%d records are taken for written", o.count)
		}
	}
	if len(todo) != 1 {
		t.Fatal(len(todo))
	}
}

// The batches of an owner that progress names are this writer's own, however many ids it has had since.
func TestTheOwnerThatProgressNamesIsOwn(t *testing.T) {
	l := &life{ids: map[int64]bool{7: true, 6: true}}
	ids := l.idsWith(checkpoint.Progress{Owner: kafka.ProducerID{ID: 5}})
	if !ids[5] || !ids[6] || !ids[7] || len(l.ids) != 2 {
		t.Fatalf("%v of %v", ids, l.ids)
	}
}
