package batch

import (
	"bytes"
	"math"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }

func kgoRecord(r row) *kgo.Record {
	k := &kgo.Record{Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Timestamp)}
	for _, h := range r.Headers {
		k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return k
}

// mixed is a topic written by kgo: all codecs, batches of one record and of many, a transaction that was aborted and one that was not.
func mixed(b *broker, topic string) (all []row) {
	b.t.Helper()
	next := int64(0)
	for _, codec := range codecs {
		plain := b.Client(b.t, kgo.DefaultProduceTopic(topic), kgo.ProducerBatchMaxBytes(8<<20), kgo.ProducerBatchCompression(kgoCodecs[codec]), kgo.ProducerLinger(0))
		txn := b.Client(b.t, kgo.DefaultProduceTopic(topic), kgo.ProducerBatchMaxBytes(8<<20), kgo.ProducerBatchCompression(kgoCodecs[codec]), kgo.TransactionalID(codec.String()))
		for i := range 3 {
			rows := sample(next)[:6-i] // with the megabyte, and without
			send(b, plain, rows)
			all, next = append(all, rows...), next+int64(len(rows))
		}
		for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
			rows := sample(next)[:4]
			if err := txn.BeginTransaction(); err != nil {
				b.t.Fatal(err)
			}
			send(b, txn, rows)
			if err := txn.EndTransaction(b.t.Context(), end); err != nil {
				b.t.Fatal(err)
			}
			all, next = append(all, rows...), next+int64(len(rows))+1 // the marker takes an offset
		}
	}
	return all
}

func send(b *broker, cl *kgo.Client, rows []row) {
	b.t.Helper()
	records := make([]*kgo.Record, len(rows))
	for i, r := range rows {
		records[i] = kgoRecord(r)
	}
	if err := cl.ProduceSync(b.t.Context(), records...).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
}

// dataBatches are the batches of a fetch but its markers. Which transactions were aborted is not this package's matter.
func dataBatches(t *testing.T, data []byte) (batches []Batch) {
	t.Helper()
	for len(data) > 0 {
		b, rest, err := Next(data)
		if err != nil {
			t.Fatal(err)
		}
		if CopyReason(b) != SkipControl {
			batches = append(batches, b)
		}
		data = rest
	}
	return batches
}

// What kgo has produced is read from the raw fetch, copied, rewritten and merged, each into a topic of its own by raw produce
// requests with own sequences, and is there what kgo's consumer reads.
func TestThroughKafka(t *testing.T) {
	b := startBroker(t)
	source := b.create("source")
	want := mixed(b, source)
	batches := dataBatches(t, b.fetch(source))
	var got []row
	for _, src := range batches {
		got = append(got, mustRead(t, src)...)
	}
	wantRows(t, got, want)
	for name, send := range map[string]func(w *writer, batches []Batch){"copy": copyAll, "rewrite": rewriteAll, "merge": mergeAll} {
		t.Run(name, func(t *testing.T) {
			w := newWriter(t, b)
			send(w, batches)
			wantRows(t, b.consume(w.topic, len(want)), renumber(want))
		})
	}
	t.Run("stamp", func(t *testing.T) {
		w := newWriter(t, b)
		stampAll(w, batches)
		wantRows(t, b.consume(w.topic, len(want)), stampModel(want, "a", []byte("stamped")))
	})
}

// writer sends batches to a topic of its own under one producer id.
type writer struct {
	*broker
	t        *testing.T
	topic    string
	r        *Reader
	w        *Builder
	id       int64
	epoch    int16
	sequence int32
	sent     int
}

func newWriter(t *testing.T, b *broker) *writer {
	w := &writer{broker: b, t: t, topic: b.create("destination"), r: NewReader(testLimit), w: NewBuilder()}
	w.id, w.epoch = b.producerID()
	if kafkatest.Real() { // kfake has a producer begin at 0
		w.sequence = math.MaxInt32 - 10 // it wraps around on the way
	}
	return w
}

func (w *writer) send(b Batch, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.r.Check(b); err != nil {
		w.t.Fatal(err)
	}
	w.produce(w.topic, b)
	w.sequence = AddSequence(w.sequence, b.Count())
	w.sent++
}

func copyAll(w *writer, batches []Batch) {
	for _, src := range batches {
		out, err := AppendPatched(nil, src, w.id, w.epoch, w.sequence)
		w.send(out, err)
		if !bytes.Equal(out[countAt:], src[countAt:]) {
			w.t.Fatal("a copied batch is not the same bytes")
		}
	}
}

// stampAll gives all records a header, in place of those of its key that some have.
func stampAll(w *writer, batches []Batch) {
	for _, src := range batches {
		if err := w.r.Reset(src); err != nil {
			w.t.Fatal(err)
		}
		w.w.Reset(nil, src.Codec(), testLimit)
		for w.r.Next() {
			w.w.AppendWithHeader(w.r.Record(), "a", []byte("stamped"))
		}
		if err := w.r.Err(); err != nil {
			w.t.Fatal(err)
		}
		w.send(w.w.Finish(w.id, w.epoch, w.sequence))
	}
}

func mergeAll(w *writer, batches []Batch) {
	all := len(batches)
	for len(batches) > 0 {
		w.w.Reset(nil, batches[0].Codec(), testLimit)
		n, err := w.w.Merge(w.r, batches)
		if err != nil || n == 0 {
			w.t.Fatal(n, err)
		}
		w.send(w.w.Finish(w.id, w.epoch, w.sequence))
		batches = batches[n:]
	}
	if w.sent > all/2 {
		w.t.Fatalf("%d batches were merged into %d", all, w.sent)
	}
}

// rewriteAll cuts batches into pieces of some three records.
func rewriteAll(w *writer, batches []Batch) {
	for _, src := range batches {
		if err := w.r.Reset(src); err != nil {
			w.t.Fatal(err)
		}
		next := w.sequence
		var pieces []Batch
		for more := true; more; {
			var err error
			w.w.Reset(nil, src.Codec(), 220)
			if more, err = w.w.Fill(w.r); err != nil {
				w.t.Fatal(err)
			}
			piece, err := w.w.Finish(w.id, w.epoch, next)
			if err != nil {
				w.t.Fatal(err)
			}
			if piece != nil { // nothing is left of a batch that compaction has emptied
				pieces, next = append(pieces, piece), AddSequence(next, piece.Count())
			}
		}
		for _, piece := range pieces { // now, for sending checks with the same Reader
			w.send(piece, nil)
		}
	}
}

// sendAll does what CopyReason says with each batch.
func sendAll(w *writer, batches []Batch) (reasons map[Why]int) {
	reasons = make(map[Why]int)
	for _, src := range batches {
		reasons[CopyReason(src)]++
		switch CopyReason(src) {
		case Copy:
			copyAll(w, []Batch{src})
		case SkipControl:
		default:
			rewriteAll(w, []Batch{src})
		}
	}
	return reasons
}

// A topic with LogAppendTime arrives with the times that readers of the source see.
func TestLogAppendTimeOfRealKafka(t *testing.T) {
	kafkatest.RealOnly(t, "kfake does not enforce LogAppendTime")
	b := startBroker(t)
	source := b.create("source", "message.timestamp.type", "LogAppendTime")
	mixed(b, source)
	data := b.fetch(source)
	want := readModel(t, data)
	w := newWriter(t, b)
	reasons := sendAll(w, dataBatches(t, data))
	if reasons[RewriteLogAppendTime] == 0 || reasons[Copy] > 0 {
		t.Fatalf("batches were sent as %v", reasons)
	}
	wantRows(t, b.consume(w.topic, len(want)), renumber(want))
}

// A compacted topic has gaps inside of batches, batches with a delete horizon, and empty ones; what is left of it arrives.
func TestCompactionOfRealKafka(t *testing.T) {
	kafkatest.RealOnly(t, "kfake does not compact")
	b := startBroker(t)
	source := b.create("source", "cleanup.policy", "compact", "segment.ms", "100", "min.cleanable.dirty.ratio", "0.001")
	cl := b.Client(t, kgo.DefaultProduceTopic(source), kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	send(b, cl, compactable())
	send(b, cl, []row{{Timestamp: 1_700_000_000_000, Key: []byte("a"), Value: nil}, {Timestamp: 1_700_000_000_001, Key: []byte("h"), Value: []byte("1")}})
	data := b.awaitCompaction(source, cl)
	want := readModel(t, data)
	w := newWriter(t, b)
	batches := dataBatches(t, data)
	reasons := sendAll(w, batches)
	if reasons[RewriteCompacted] == 0 || reasons[Copy] == 0 {
		t.Fatalf("batches were sent as %v", reasons)
	}
	for _, copied := range dataBatches(t, b.fetch(w.topic)) {
		if copied.DeleteHorizon() {
			t.Fatalf("the batch at offset %d has a delete horizon", copied.BaseOffset())
		}
	}
	wantRows(t, b.consume(w.topic, len(want)), renumber(want))
}

// compactable are records of a few keys, the last of which remain.
func compactable() (rows []row) {
	for i := range 20 {
		rows = append(rows, row{Timestamp: 1_700_000_000_000 + int64(i), Key: []byte{"abcdefg"[i*i%7]}, Value: []byte{byte(i)}})
	}
	return rows
}

// awaitCompaction appends until the log cleaner has made a gap in one batch and set a delete horizon in another without gaps.
func (b *broker) awaitCompaction(topic string, cl *kgo.Client) []byte {
	b.t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for i := range int64(300) {
		data := b.fetch(topic)
		gap, horizon := false, false
		for _, batch := range dataBatches(b.t, data) {
			gap = gap || CopyReason(batch) == RewriteCompacted
			horizon = horizon || batch.DeleteHorizon() && CopyReason(batch) == Copy
		}
		if gap && horizon {
			return data
		}
		<-tick.C
		// Segments roll by the records' times.
		send(b, cl, []row{{Timestamp: 1_700_000_001_000 + 1000*i, Key: []byte("filler"), Value: []byte("x")}})
	}
	b.t.Fatal("the log was not compacted within a minute")
	return nil
}
