package batch

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// What kmsg and kgo's compressors have encoded, the Reader yields.
func TestReaderAgainstModel(t *testing.T) {
	r := NewReader(testLimit)
	rapid.Check(t, func(t *rapid.T) {
		codec := rapid.SampledFrom(codecs).Draw(t, "codec")
		want := genRows(rapid.Int64Range(0, 1<<40).Draw(t, "base"), rapid.Bool().Draw(t, "gaps"), 20).Draw(t, "rows")
		got, err := readAllRows(r, encode(t, codec, want, nil))
		if err != nil {
			t.Fatalf("reading: %v", err)
		}
		wantRows(t, got, want)
	})
}

func TestReaderSample(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			b := encode(t, codec, sample(77), nil)
			wantRows(t, mustRead(t, b), sample(77))
			if key := mustRead(t, b)[1].Key; key != nil {
				t.Fatalf("a null key became %q", key)
			}
		})
	}
}

// With LogAppendTime readers see the batch's time, whatever the deltas say; kgo agrees.
func TestReaderLogAppendTime(t *testing.T) {
	rows := sample(5)
	b := encode(t, LZ4, rows, func(b *kmsg.RecordBatch) {
		b.Attributes |= logAppendTimeBit
		b.MaxTimestamp = 1_800_000_000_000
	})
	got := mustRead(t, b)
	wantRows(t, got, readModel(t, b))
	for _, r := range got {
		if r.Timestamp != 1_800_000_000_000 {
			t.Fatalf("offset %d has time %d", r.Offset, r.Timestamp)
		}
	}
}

func TestReaderSkipTo(t *testing.T) {
	rows := sample(100)
	r := NewReader(testLimit)
	if err := r.Reset(encode(t, Snappy, rows, nil)); err != nil {
		t.Fatal(err)
	}
	r.SkipTo(103)
	var got []row
	for r.Next() {
		got = append(got, copyRow(r.Record()))
	}
	wantRows(t, got, rows[3:])
}

// The log cleaner keeps a batch whose records are all gone, for its sequence.
func TestReaderEmptyBatch(t *testing.T) {
	b := encode(t, None, nil, func(b *kmsg.RecordBatch) { b.FirstOffset, b.LastOffsetDelta = 10, 4 })
	if _, _, err := Next(b); err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, b); len(got) != 0 || CopyReason(b) != RewriteCompacted || b.NextOffset() != 15 {
		t.Fatalf("%d records, %s, next offset %d", len(got), CopyReason(b), b.NextOffset())
	}
}

// What a CRC does not protect from: a producer or broker that wrote nonsense.
func TestReaderRefuses(t *testing.T) {
	good := []byte{14, 0, 0, 0, 2, 'k', 1, 0} // key "k", null value
	record := func(at int, v byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = v
		return b
	}
	cases := map[string]struct {
		records []byte
		count   int32
		want    string
	}{
		"fewer records than counted":  {good, 2, "2 records in 8 bytes"},
		"more records than counted":   {append(good[:8:8], 14, 0, 0, 2, 2, 'k', 1, 0), 1, "8 bytes after the last record"},
		"a negative length":           {record(0, 13), 1, "record 0 does not fit"},
		"a length beyond the batch":   {record(0, 16), 1, "record 0 does not fit"},
		"a length below a record's":   {append([]byte{10, 0, 0, 0, 1, 1}, 0, 0), 1, "record 0 does not fit"},
		"an endless length":           {[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 1, "record 0 does not fit"},
		"a negative offset delta":     {record(3, 1), 1, "bad offset delta"},
		"an offset beyond the range":  {record(3, 2), 1, "bad offset delta"},
		"an offset twice":             {append(good[:8:8], good...), 2, "bad offset delta"},
		"a key beyond the record":     {record(4, 40), 1, "bad key, value or headers"},
		"a value beyond the record":   {record(6, 40), 1, "bad key, value or headers"},
		"a negative number of header": {record(7, 1), 1, "bad key, value or headers"},
		"headers that are not there":  {record(7, 2), 1, "bad key, value or headers"},
		"a null header key":           {[]byte{18, 0, 0, 0, 1, 1, 2, 1, 1, 0}, 1, "bad key, value or headers"},
		"a timestamp without an end": {
			[]byte{22, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 1, "bad timestamp delta",
		},
		"bytes behind the headers": {[]byte{16, 0, 0, 0, 2, 'k', 1, 0, 0}, 1, "bad key, value or headers"},
	}
	for name, c := range cases {
		for _, codec := range codecs {
			t.Run(name+"/"+codec.String(), func(t *testing.T) {
				b := seal(kmsg.RecordBatch{
					FirstOffset: 40, Magic: 2, Attributes: int16(codec), NumRecords: c.count, LastOffsetDelta: c.count - 1,
					ProducerID: -1, FirstSequence: -1, Records: compressModel(t, codec, c.records),
				})
				_, err := readAllRows(NewReader(testLimit), b)
				var corrupt *CorruptError
				if !errors.As(err, &corrupt) || corrupt.Offset != 40 || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("got %v, want %q at offset 40", err, c.want)
				}
			})
		}
	}
}

// A broken payload is the batch's fault, never a panic, and the Reader goes on with the next batch.
func TestReaderBrokenCompression(t *testing.T) {
	r := NewReader(testLimit)
	for _, codec := range codecs[1:] {
		whole := encode(t, codec, sample(0)[:3], nil)
		for cut := recordsAt + 1; cut < len(whole); cut++ {
			b := Batch(append([]byte(nil), whole[:cut]...))
			b.putUint32(lengthAt, uint32(cut-logOverhead))
			var corrupt *CorruptError
			if _, err := readAllRows(r, b); !errors.As(err, &corrupt) {
				t.Fatalf("%s cut at %d of %d: %v", codec, cut, len(whole), err)
			}
		}
		if _, err := readAllRows(r, whole); err != nil {
			t.Fatalf("%s afterwards: %v", codec, err)
		}
	}
}

// A few kilobytes that stand for much more end at the limit.
func TestReaderLimit(t *testing.T) {
	for _, codec := range codecs[1:] {
		t.Run(codec.String(), func(t *testing.T) {
			b := encode(t, codec, []row{{Value: make([]byte, 32<<20)}}, nil)
			r := NewReader(1 << 20)
			if err := r.Reset(b); !errors.Is(err, ErrTooLarge) {
				t.Fatalf("got %v from %d bytes", err, len(b))
			}
			if cap(r.buf) > 8<<20 {
				t.Fatalf("the buffer grew to %d", cap(r.buf))
			}
			if r.Next() {
				t.Fatal("a record after the error")
			}
		})
	}
}
