package batch

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	fuzzLimit = 1 << 20
	fuzzRoom  = 10 << 20 // the limit, a block of LZ4 beyond it, and what a growing slice takes too much
)

// Their codecs are slow to start, and a fuzzer's process runs one input after another.
var (
	fuzzReader  = NewReader(fuzzLimit)
	fuzzBuilder = NewBuilder()
	fuzzStamped = NewReader(testLimit) // for headers take what was read beyond the limit of the other
)

// fuzzRows are rows of a size that a fuzzer can work with.
func fuzzRows() []row { return sample(3)[:5] }

// FuzzNext feeds bytes to everything that takes bytes from a broker.
func FuzzNext(f *testing.F) {
	for _, codec := range codecs {
		b := encode(f, codec, fuzzRows(), nil)
		f.Add([]byte(b), false)
		f.Add(append(bytes.Clone(b), b...), true)
	}
	for _, codec := range oldCodecs {
		f.Add(set(f, 0, codec, fuzzRows()), false)
		f.Add(set(f, 1, codec, fuzzRows()), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, honest bool) {
		if honest { // with a true CRC, a fuzzer comes further
			reseal(data)
		}
		for len(data) > 0 {
			b, rest, err := Next(data)
			if b == nil {
				mustBeTyped(t, err)
				return
			}
			if len(b)+len(rest) != len(data) || len(b) == 0 {
				t.Fatalf("%d bytes became %d and %d", len(data), len(b), len(rest))
			}
			if err != nil {
				mustBeTyped(t, err)
			} else {
				mustSurvive(t, b)
			}
			data = rest
		}
	})
}

// FuzzReader gives the fuzzer what lies behind CRC and compression.
func FuzzReader(f *testing.F) {
	for _, codec := range codecs {
		plain := encode(f, None, fuzzRows(), nil)
		f.Add([]byte(plain[recordsAt:]), int16(codec), int32(4), int32(5), true)
		f.Add([]byte(encode(f, codec, fuzzRows(), nil)[recordsAt:]), int16(codec), int32(4), int32(5), false)
	}
	f.Fuzz(func(t *testing.T, records []byte, attributes int16, lastDelta, count int32, compress bool) {
		if codec := Codec(attributes & codecBits); compress && codec <= Zstd {
			records = compressModel(t, codec, records)
		}
		b := seal(kmsg.RecordBatch{
			FirstOffset: 7, Magic: 2, Attributes: attributes, LastOffsetDelta: lastDelta, NumRecords: count, Records: records,
			FirstTimestamp: math.MaxInt64, MaxTimestamp: 5, ProducerID: -1, FirstSequence: -1,
		})
		if whole, _, err := Next(b); err != nil {
			mustBeTyped(t, err)
		} else {
			mustSurvive(t, whole)
		}
	})
}

// FuzzOld gives the fuzzer the messages of a compressed set.
func FuzzOld(f *testing.F) {
	for _, codec := range oldCodecs {
		f.Add(set(f, 0, None, fuzzRows()), int8(0), int8(codec), int64(7))
		f.Add(set(f, 1, None, asOld(1, sample(0)[:5])), int8(1), int8(codec), int64(7))
	}
	f.Fuzz(func(t *testing.T, inner []byte, magic, attributes int8, offset int64) {
		resealOld(inner)
		codec := Codec(int16(attributes) & codecBits)
		if codec <= Zstd {
			inner = compressModel(t, codec, inner)
		}
		data := message(magic&1, attributes, row{Offset: offset, Timestamp: 8, Value: inner})
		if b, _, err := Next(data); err != nil {
			mustBeTyped(t, err)
		} else {
			mustSurvive(t, b)
		}
	})
}

// mustSurvive reads a batch that Next took. What is read is rewritten, and must come out the same.
func mustSurvive(t *testing.T, b Batch) {
	r := fuzzReader
	before := bytes.Clone(b)
	rows, err := readAllRows(r, b)
	if cap(r.buf)+cap(r.old) > 2*fuzzRoom {
		t.Fatalf("%d bytes became %d and %d", len(b), cap(r.buf), cap(r.old))
	}
	if !bytes.Equal(before, b) {
		t.Fatal("reading changed the batch")
	}
	if err != nil {
		mustBeTyped(t, err)
		return
	}
	mustStamp(t, b, rows)
	out, err := tryRewrite(r, b)
	if err != nil {
		t.Fatalf("rewriting what could be read: %v", err)
	}
	if len(rows) == 0 && out == nil {
		return
	}
	if err := r.Check(out); err != nil {
		t.Fatalf("checking what was rewritten: %v", err)
	}
	rewritten, err := readAllRows(r, out)
	if err != nil {
		t.Fatalf("reading what was rewritten: %v", err)
	}
	if diff := cmp.Diff(renumber(rows), rewritten, sameBytes); diff != "" {
		t.Fatalf("rewriting changed (-want +got):\n%s", diff)
	}
}

// mustStamp finds the ends of what could be read, and gives it headers.
func mustStamp(t *testing.T, b Batch, rows []row) {
	r, w := fuzzReader, fuzzBuilder
	if err := r.Reset(b); err != nil {
		t.Fatal(err)
	}
	first, last, err := r.Ends()
	if err != nil {
		t.Fatalf("the ends of what could be read: %v", err)
	}
	if len(rows) == 0 {
		return
	}
	wantRows(t, []row{copyRow(first), copyRow(last)}, []row{rows[0], rows[len(rows)-1]})
	w.Reset(nil, b.Codec(), testLimit)
	for r.Next() {
		w.AppendWithHeader(r.Record(), fuzzKey, []byte("value"))
		value, ok := r.Record().LastHeader(fuzzKey)
		wantLast(t, copyRow(r.Record()), value, ok)
	}
	out, err := w.Finish(1, 2, 3)
	if err != nil {
		t.Fatalf("finishing: %v", err)
	}
	got, err := readAllRows(fuzzStamped, out)
	if err != nil {
		t.Fatalf("reading what was stamped: %v", err)
	}
	wantRows(t, got, stampModel(rows, fuzzKey, []byte("value")))
}

// fuzzKey is a key that fuzzRows have, twice in a record.
const fuzzKey = "a"

func wantLast(t *testing.T, r row, value []byte, ok bool) {
	t.Helper()
	var want []byte
	there := false
	for _, h := range r.Headers {
		if h.Key == fuzzKey {
			want, there = h.Value, true
		}
	}
	if ok != there || !bytes.Equal(value, want) || (value == nil) != (want == nil) {
		t.Fatalf("last header %q, %t of %v", value, ok, r)
	}
}

func tryRewrite(r *Reader, b Batch) (Batch, error) {
	if err := r.Reset(b); err != nil {
		return nil, err
	}
	w := fuzzBuilder
	w.Reset(nil, b.Codec(), testLimit)
	if _, err := w.Fill(r); err != nil {
		return nil, err
	}
	return w.Finish(1, 2, 3)
}

func mustBeTyped(t *testing.T, err error) {
	t.Helper()
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) && !errors.Is(err, ErrPartial) && !errors.Is(err, ErrTooLarge) {
		t.Fatalf("an error of no type: %v", err)
	}
}

// reseal gives the first batch or message a true CRC, where its length allows.
func reseal(data []byte) {
	if len(data) <= magicAt || Batch(data).Length() < minOld || int(Batch(data).Length()) > len(data)-logOverhead {
		return
	}
	b := Batch(data[:Batch(data).Size()])
	switch {
	case b.Magic() < 2:
		resealOld(b)
	case len(b) >= recordsAt:
		b.putUint32(crcAt, checksum(b))
	}
}

// resealOld gives all messages of a set a true CRC, as far as their lengths allow.
func resealOld(data []byte) {
	for len(data) > magicAt && Batch(data).Length() >= minOld && int(Batch(data).Length()) <= len(data)-logOverhead {
		size := Batch(data).Size()
		sealOld(data[:size])
		data = data[size:]
	}
}
