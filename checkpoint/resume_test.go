package checkpoint

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

func TestSourceOf(t *testing.T) {
	p := Progress{Written: 10, Source: 100, Ahead: []Run{{15, 200, 0}, {20, 300, 0}}}
	for n, want := range map[int64]offsetxlate.Source{10: 100, 14: 104, 15: 200, 19: 204, 20: 300, 25: 305} {
		if got := p.SourceOf(n); got != want {
			t.Errorf("record %d lies at %d, want %d", n, got, want)
		}
	}
}

func TestResumeCutsBatchesAtRuns(t *testing.T) {
	p := Progress{Written: 10, Source: 100, Dest: 50, Ahead: []Run{{13, 200, 0}}}
	next, written, copied, err := p.Resume([]Batch{{Base: 50, Count: 5, Sequence: 10}, {Base: 56, Count: 1, Sequence: 15}})
	if err != nil {
		t.Fatal(err)
	}
	if next != 203 || written != 16 {
		t.Errorf("goes on at %d with record %d, want 203 and 16", next, written)
	}
	want := []Copied{{100, 50, 3}, {200, 53, 2}, {202, 56, 1}}
	if d := cmp.Diff(want, copied); d != "" {
		t.Error(d)
	}
}

func TestResumeRefusesATailThatDoesNotFollow(t *testing.T) {
	p := Progress{Written: 10, Source: 100}
	for name, tail := range map[string][]Batch{
		"overlap": {{Count: 5, Sequence: 9}},
		"reset":   {{Count: 5, Sequence: 10}, {Count: 1, Sequence: 0}},
	} {
		if _, _, _, err := p.Resume(tail); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Compaction takes batches out of a log's middle, and of those that it leaves the headers tell how many there were.
func TestResumeStepsOverWhatCompactionTook(t *testing.T) {
	p := Progress{Written: 10, Source: 100, Dest: 50, Ahead: []Run{{13, 200, 0}}}
	next, written, copied, err := p.Resume([]Batch{{Base: 51, Count: 1, Sequence: 11}, {Base: 56, Count: 2, Sequence: 15}})
	if err != nil {
		t.Fatal(err)
	}
	if next != 204 || written != 17 {
		t.Errorf("goes on at %d with record %d, want 204 and 17", next, written)
	}
	if d := cmp.Diff([]Copied{{101, 51, 1}, {202, 56, 2}}, copied); d != "" {
		t.Error(d)
	}
}

func TestSequencesWrap(t *testing.T) {
	for _, n := range []int64{0, 1, math.MaxInt32, math.MaxInt32 + 1, 5 * math.MaxInt32, 1 << 40} {
		for _, d := range []int64{0, 1, 1000} {
			if got := unwrap(n, int32((n+d)&math.MaxInt32)); got != n+d {
				t.Errorf("%d after %d is read as %d", n+d, n, got)
			}
		}
	}
}

// A writer that may die at any point: it copies a source with gaps, notes runs before it produces, saves now and then. Whatever
// it leaves, its successor goes on at the very record.
func TestResumeAfterAnyCrash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := gappySource(t)
		w := &model{t: t, source: source, durable: Progress{Source: source[0]}, mem: Progress{Source: source[0]}}
		for steps := rapid.IntRange(1, 60).Draw(t, "steps"); steps > 0; steps-- {
			w.step()
		}
		next, written, _, err := w.durable.Resume(w.tail())
		if err != nil {
			t.Fatal(err)
		}
		if written != w.produced {
			t.Fatalf("counts %d records, %d were produced", written, w.produced)
		}
		if int(w.produced) < len(source) && next > source[w.produced] {
			t.Fatalf("goes on at %d and skips record %d at %d", next, w.produced, source[w.produced])
		}
		if w.produced > 0 && next <= source[w.produced-1] {
			t.Fatalf("goes on at %d and repeats record %d at %d", next, w.produced-1, source[w.produced-1])
		}
	})
}

func gappySource(t *rapid.T) []offsetxlate.Source {
	at := offsetxlate.Source(rapid.IntRange(0, 5).Draw(t, "start"))
	var out []offsetxlate.Source
	for range rapid.IntRange(1, 40).Draw(t, "records") {
		out = append(out, at)
		at += 1 + offsetxlate.Source(rapid.SampledFrom([]int{0, 0, 0, 1, 7}).Draw(t, "gap"))
	}
	return out
}

// model is a dumb writer: source[n] is where record n lies.
type model struct {
	t        *rapid.T
	source   []offsetxlate.Source
	durable  Progress // the progress topic
	mem      Progress // what will be noted next
	log      []Batch
	queued   int64 // records whose runs are in mem
	produced int64
	dest     offsetxlate.Dest
}

func (w *model) step() {
	switch rapid.IntRange(0, 3).Draw(w.t, "do") {
	case 0: // fetch: runs are known in memory
		for n := min(w.queued+3, int64(len(w.source))); w.queued < n; w.queued++ {
			if w.mem.SourceOf(w.queued) != w.source[w.queued] {
				w.mem.Ahead = append(w.mem.Ahead, Run{w.queued, w.source[w.queued], 0})
			}
		}
	case 1: // note
		w.durable = copyOf(w.mem)
	case 2: // produce what is noted
		n := min(w.queued, w.produced+2)
		if n > w.produced && w.noted(n) {
			w.log = append(w.log, Batch{Base: w.dest, Count: int32(n - w.produced), Sequence: int32(w.produced)})
			w.dest += offsetxlate.Dest(n - w.produced)
			w.produced = n
		}
	case 3: // save
		w.mem.Advance(w.produced, w.dest)
		w.durable = copyOf(w.mem)
	}
}

// noted says whether every run of the records before n is durable.
func (w *model) noted(n int64) bool {
	for i := w.produced; i < n; i++ {
		if w.durable.SourceOf(i) != w.source[i] {
			return false
		}
	}
	return true
}

func (w *model) tail() (tail []Batch) {
	for _, b := range w.log {
		if b.Base >= w.durable.Dest {
			tail = append(tail, b)
		}
	}
	return tail
}

func copyOf(p Progress) Progress {
	p.Ahead = append([]Run(nil), p.Ahead...)
	return p
}

func TestProgressRoundTrip(t *testing.T) {
	p := Progress{
		Owner: kafka.ProducerID{ID: 7, Epoch: 3}, SrcID: [16]byte{1}, DstID: [16]byte{2}, Written: 5, Source: 9, Dest: 11,
		SourceEpoch: -1, DestEpoch: 4, Ahead: []Run{{6, 12, 3}}, SourceEnd: 13, SeenAt: 14,
	}
	hub := p
	hub.Incarnation, hub.SourceEpoch, hub.Read = 2, 6, Place{Cluster: "hub", TopicID: [16]byte{3}, At: 15, Epoch: -1}
	hub.Gaps = loop.Gaps{{From: loop.Coordinate{Epoch: 1}, To: loop.Coordinate{Epoch: 1, Offset: 7}, Why: loop.GapRetention}}
	ahead := hub
	ahead.Gaps = loop.Gaps{{From: loop.Coordinate{Incarnation: 2, Epoch: 6, Offset: 9}, To: loop.Coordinate{Incarnation: 2, Epoch: 6, Offset: 20}, Why: loop.GapRetention}}
	for _, p := range []Progress{p, hub, ahead} {
		got, err := DecodeProgress(p.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(p, got); d != "" {
			t.Error(d)
		}
	}
}

func FuzzDecodeProgress(f *testing.F) {
	f.Add(Progress{Ahead: []Run{{1, 2, 3}}}.Encode())
	f.Add([]byte{3})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := DecodeProgress(b)
		if err != nil {
			return
		}
		q, err := DecodeProgress(p.Encode())
		if err != nil || !cmp.Equal(p, q) {
			t.Errorf("%v does not survive: %v", p, err)
		}
	})
}
