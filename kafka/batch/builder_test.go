package batch

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func mustFinish(t fatal, b *Builder) Batch {
	t.Helper()
	out, err := b.Finish(4711, 3, 99)
	if err != nil {
		t.Fatalf("finishing: %v", err)
	}
	if err := NewReader(testLimit).Check(out); err != nil {
		t.Fatalf("checking: %v", err)
	}
	return out
}

// rewrite sends a batch through Reader and Builder into as many batches as limit asks for.
func rewrite(t fatal, src Batch, codec Codec, limit int) (out []Batch, runs []Run) {
	t.Helper()
	r, b := NewReader(testLimit), NewBuilder()
	if err := r.Reset(src); err != nil {
		t.Fatalf("reading: %v", err)
	}
	for more := true; more; {
		b.Reset(nil, codec, limit)
		var err error
		if more, err = b.Fill(r); err != nil {
			t.Fatalf("filling: %v", err)
		}
		runs = append(runs, b.Runs()...)
		if b.Len() > 0 {
			out = append(out, mustFinish(t, b))
		}
	}
	return out, runs
}

// Whatever kmsg has encoded goes through Reader and Builder, and comes out of kgo the same, in batches that keep the limit.
func TestRewriteAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codec := rapid.SampledFrom(codecs).Draw(t, "codec")
		rows := genRows(rapid.Int64Range(0, 1<<40).Draw(t, "base"), rapid.Bool().Draw(t, "gaps"), 30).Draw(t, "rows")
		limit := rapid.SampledFrom([]int{100, 300, 2000, 1 << 20}).Draw(t, "limit")
		out, runs := rewrite(t, encode(t, codec, rows, nil), codec, limit)
		var got []row
		for _, b := range out {
			if len(b) > limit && b.Count() > 1 {
				t.Fatalf("%d records in %d bytes, the limit is %d", b.Count(), len(b), limit)
			}
			if b.ProducerID() != 4711 || b.ProducerEpoch() != 3 || b.BaseSequence() != 99 || b.PartitionLeaderEpoch() != -1 {
				t.Fatalf("the producer's fields are not set")
			}
			got = append(got, readModel(t, b)...)
		}
		for i, at := 0, 0; i < len(runs); i++ { // the runs give the records their source offsets back
			for n := range runs[i].Count {
				got[at].Offset = runs[i].Offset + int64(n)
				at++
			}
		}
		wantRows(t, got, rows)
	})
}

func TestRewriteSample(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent()) // no codec has left a goroutine
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			out, runs := rewrite(t, encode(t, codec, sample(500), nil), codec, testLimit)
			if len(out) != 1 || out[0].Codec() != codec || !slices.Equal(runs, []Run{{500, 6}}) {
				t.Fatalf("%d batches, runs %v", len(out), runs)
			}
			wantRows(t, readModel(t, out[0]), renumber(sample(0)))
		})
	}
}

// What gains nothing by compression is left as it is, so the limit holds.
func TestFinishIncompressible(t *testing.T) {
	for _, codec := range codecs {
		out, _ := rewrite(t, encode(t, None, []row{{Value: []byte{1, 2, 3}}}, nil), codec, 100)
		if out[0].Codec() != None {
			t.Fatalf("three bytes were compressed with %s", codec)
		}
	}
}

// The batch is built in the caller's buffer, and stays as it is when the Builder goes on.
func TestFinishOwnership(t *testing.T) {
	for _, codec := range []Codec{None, LZ4} {
		r, b := NewReader(testLimit), NewBuilder()
		dst := make([]byte, 100, 4<<20)
		b.Reset(dst, codec, testLimit)
		if fits, err := b.AppendBatch(r, encode(t, None, sample(0), nil)); !fits || err != nil {
			t.Fatal(fits, err)
		}
		out := mustFinish(t, b)
		if &out[0] != &dst[0] {
			t.Fatalf("%s: not the caller's buffer", codec)
		}
		before := bytes.Clone(out)
		for _, next := range slices.Backward(codecs) { // None last: it would hide a buffer that was kept
			b.Reset(nil, next, testLimit)
			if fits, err := b.AppendBatch(r, encode(t, None, sample(7)[2:], nil)); !fits || err != nil {
				t.Fatal(fits, err)
			}
			mustFinish(t, b)
			if !bytes.Equal(out, before) {
				t.Fatalf("a batch of %s was built over one of %s", next, codec)
			}
		}
	}
}

func TestFinishNothing(t *testing.T) {
	b := NewBuilder()
	b.Reset(nil, LZ4, 100)
	if out, err := b.Finish(1, 2, 3); out != nil || err != nil {
		t.Fatal(out, err)
	}
}

// Timestamps far apart survive: the delta wraps around, there and back.
func TestExtremeTimestamps(t *testing.T) {
	rows := []row{{0, math.MaxInt64, nil, nil, nil}, {1, math.MinInt64, nil, nil, nil}, {2, -1, nil, nil, nil}, {3, 0, nil, nil, nil}}
	out, _ := rewrite(t, encode(t, None, rows, nil), None, testLimit)
	wantRows(t, mustRead(t, out[0]), rows)
}

// Bits that a record has, and that mean nothing yet, are copied too.
func TestRecordAttributes(t *testing.T) {
	b := seal(kmsg.RecordBatch{
		Magic: 2, NumRecords: 1, ProducerID: -1, FirstSequence: -1, Records: []byte{14, 0x81, 0, 0, 2, 'k', 1, 0},
	})
	out, _ := rewrite(t, b, None, testLimit)
	if !bytes.Equal(out[0][recordsAt:], b[recordsAt:]) {
		t.Fatalf("got %x", out[0][recordsAt:])
	}
}
