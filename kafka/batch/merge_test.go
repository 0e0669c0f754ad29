package batch

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// Neighbours of any size, with gaps between and inside of them, come out as one, whose records kgo reads in order.
func TestMergeAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codec := rapid.SampledFrom(codecs).Draw(t, "codec")
		limit := rapid.SampledFrom([]int{200, 1000, 5000, 1 << 20}).Draw(t, "limit")
		var batches []Batch
		var rows [][]row
		next := int64(rapid.IntRange(0, 1000).Draw(t, "base"))
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			r := genRows(next, rapid.Bool().Draw(t, "gaps"), 6).Draw(t, "rows")
			rows, batches = append(rows, r), append(batches, encode(t, codec, r, nil))
			next = r[len(r)-1].Offset + 1 + rapid.Int64Range(0, 2).Draw(t, "gap")
		}
		r, b := NewReader(testLimit), NewBuilder()
		for len(batches) > 0 {
			b.Reset(nil, codec, limit)
			n, err := b.Merge(r, batches)
			if err != nil {
				t.Fatalf("merging: %v", err)
			}
			var want []row
			for _, r := range rows[:n] {
				want = append(want, r...)
			}
			if n == 0 { // larger than the limit for itself
				if b.Len() != 0 || len(b.Runs()) != 0 || b.Size() != recordsAt {
					t.Fatalf("a batch that does not fit has left %d records, runs %v", b.Len(), b.Runs())
				}
				batches, rows = batches[1:], rows[1:]
				continue
			}
			merged := mustFinish(t, b)
			if len(merged) > limit && merged.Count() > 1 {
				t.Fatalf("%d bytes, the limit is %d", len(merged), limit)
			}
			wantRows(t, readModel(t, merged), renumber(want))
			wantRuns(t, b.Runs(), want)
			batches, rows = batches[n:], rows[n:]
		}
	})
}

func wantRuns(t fatal, runs []Run, rows []row) {
	t.Helper()
	for _, run := range runs {
		for n := range run.Count {
			if rows[0].Offset != run.Offset+int64(n) {
				t.Fatalf("runs %v give offset %d, it is %d", runs, run.Offset+int64(n), rows[0].Offset)
			}
			rows = rows[1:]
		}
	}
	if len(rows) > 0 {
		t.Fatalf("runs %v do not cover %d records", runs, len(rows))
	}
}

// The batches before a corrupt one are taken, and nothing of the corrupt one.
func TestMergeStopsAtCorruption(t *testing.T) {
	good := encode(t, None, sample(0)[:2], nil)
	bad := seal(kmsg.RecordBatch{
		FirstOffset: 2, Magic: 2, NumRecords: 2, LastOffsetDelta: 1, ProducerID: -1, FirstSequence: -1,
		Records: []byte{14, 0, 0, 0, 2, 'k', 1, 0, 14, 0, 0, 2, 40, 'k', 1, 0}, // the second key is too long
	})
	r, b := NewReader(testLimit), NewBuilder()
	b.Reset(nil, None, testLimit)
	n, err := b.Merge(r, []Batch{good, bad})
	var corrupt *CorruptError
	if n != 1 || !errors.As(err, &corrupt) || corrupt.Offset != 2 {
		t.Fatalf("took %d: %v", n, err)
	}
	wantRows(t, readModel(t, mustFinish(t, b)), renumber(sample(0)[:2]))
}

func TestMergeRefuses(t *testing.T) {
	plain := encode(t, None, sample(0)[:2], nil)
	control := encode(t, None, sample(2)[:1], func(b *kmsg.RecordBatch) { b.Attributes |= controlBit })
	zipped := encode(t, Gzip, sample(2), nil)
	cases := []struct {
		name    string
		batches []Batch
		want    string
		is      error
	}{
		{"a control batch", []Batch{plain, control}, "control batch", ErrControl},
		{"the same batch again", []Batch{plain, plain}, "it comes after offset 1", nil},
		{"another codec", []Batch{plain, zipped}, "", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := NewBuilder()
			b.Reset(nil, None, testLimit)
			n, err := b.Merge(NewReader(testLimit), c.batches)
			if n != 1 || b.Len() != 2 || (err == nil) != (c.want == "") {
				t.Fatalf("took %d batches, %d records: %v", n, b.Len(), err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is)) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A batch that compaction has emptied, between two others, does not end the merge, though it is never compressed.
func TestMergePassesEmptied(t *testing.T) {
	rows := sample(0)[:5]
	emptied := encode(t, None, nil, func(b *kmsg.RecordBatch) { b.FirstOffset, b.LastOffsetDelta = 2, 0 })
	b := NewBuilder()
	b.Reset(nil, Gzip, testLimit)
	n, err := b.Merge(NewReader(testLimit), []Batch{encode(t, Gzip, rows[:2], nil), emptied, encode(t, Gzip, rows[3:], nil)})
	if n != 3 || err != nil {
		t.Fatalf("took %d: %v", n, err)
	}
	want := slices.Concat(rows[:2], rows[3:])
	wantRows(t, readModel(t, mustFinish(t, b)), renumber(want))
	wantRuns(t, b.Runs(), want)
}

// Check finds what a broker would store.
func TestCheckRefuses(t *testing.T) {
	build := func(change func(*kmsg.RecordBatch)) Batch {
		return encode(t, None, sample(0)[:3], change)
	}
	cases := []struct {
		name, want string
		b          Batch
	}{
		{"a base offset", "base offset 7", encode(t, None, sample(7)[:3], nil)},
		{"a transaction", "attributes 0x10", build(func(b *kmsg.RecordBatch) { b.Attributes = transactionalBit })},
		{"a delete horizon", "attributes 0x40", build(func(b *kmsg.RecordBatch) { b.Attributes = deleteHorizonBit })},
		{"a producer without sequence", "base sequence -1", build(func(b *kmsg.RecordBatch) { b.ProducerID = 3 })},
		{"append time", "log_append_time", build(func(b *kmsg.RecordBatch) { b.Attributes = logAppendTimeBit })},
		{"gaps", "compacted", build(func(b *kmsg.RecordBatch) { b.LastOffsetDelta = 5 })},
		{"two batches", "bytes after the batch", append(bytes.Clone(build(nil)), build(nil)...)},
		{"a false latest time", "latest timestamp", build(func(b *kmsg.RecordBatch) { b.MaxTimestamp = 1_900_000_000_000 })},
		{"false deltas", "bad offset delta", seal(kmsg.RecordBatch{
			Magic: 2, NumRecords: 2, LastOffsetDelta: 1, ProducerID: -1, FirstSequence: -1,
			Records: []byte{14, 0, 0, 0, 2, 'k', 1, 0, 14, 0, 0, 0, 2, 'k', 1, 0},
		})},
		{"nothing", "bytes end", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := NewReader(testLimit).Check(c.b)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
	if err := NewReader(testLimit).Check(build(nil)); err != nil {
		t.Fatal(err)
	}
}
