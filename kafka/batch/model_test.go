package batch

import (
	"bytes"
	"hash/crc32"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// row is a record as the model has it: nothing shared, nothing encoded.
type row struct {
	Offset, Timestamp int64
	Key, Value        []byte
	Headers           []kmsg.Header
}

var codecs = []Codec{None, Gzip, Snappy, LZ4, Zstd}

const testLimit = 16 << 20

// fatal is what testing.T, testing.B and rapid.T have in common here.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// encode builds a batch with kmsg and kgo's compressors, which are independent of this package's code. change may be nil.
func encode(t fatal, codec Codec, rows []row, change func(*kmsg.RecordBatch)) Batch {
	t.Helper()
	b := kmsg.RecordBatch{
		PartitionLeaderEpoch: 3, Magic: 2, Attributes: int16(codec), NumRecords: int32(len(rows)),
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, MaxTimestamp: math.MinInt64,
	}
	if len(rows) > 0 {
		b.FirstOffset, b.FirstTimestamp = rows[0].Offset, rows[0].Timestamp
		b.LastOffsetDelta = int32(rows[len(rows)-1].Offset - b.FirstOffset)
	}
	if change != nil {
		change(&b)
	}
	var records []byte
	for _, r := range rows {
		b.MaxTimestamp = max(b.MaxTimestamp, r.Timestamp)
		records = appendModelRecord(records, r, b.FirstOffset, b.FirstTimestamp)
	}
	if change != nil {
		change(&b) // once more, for what the records have set
	}
	b.Records = compressModel(t, codec, records)
	return seal(b)
}

// seal sets length and CRC.
func seal(b kmsg.RecordBatch) Batch {
	b.Length = int32(recordsAt - logOverhead + len(b.Records))
	raw := b.AppendTo(nil)
	b.CRC = int32(crc32.Checksum(raw[attributesAt:], crc32.MakeTable(crc32.Castagnoli)))
	return b.AppendTo(nil)
}

func appendModelRecord(dst []byte, r row, base, baseTime int64) []byte {
	k := kmsg.Record{
		TimestampDelta64: r.Timestamp - baseTime, OffsetDelta: int32(r.Offset - base),
		Key: r.Key, Value: r.Value, Headers: r.Headers,
	}
	k.Length = int32(len(k.AppendTo(nil)) - 1) // less the byte that a length of 0 takes
	return k.AppendTo(dst)
}

var kgoCodecs = map[Codec]kgo.CompressionCodec{
	None: kgo.NoCompression(), Gzip: kgo.GzipCompression(), Snappy: kgo.SnappyCompression(),
	LZ4: kgo.Lz4Compression(), Zstd: kgo.ZstdCompression(),
}

var kgoCompressors = func() map[Codec]kgo.Compressor {
	all := make(map[Codec]kgo.Compressor)
	for codec, k := range kgoCodecs {
		all[codec], _ = kgo.DefaultCompressor(k) // nil for None
	}
	return all
}()

func compressModel(t fatal, codec Codec, plain []byte) []byte {
	t.Helper()
	if codec == None {
		return plain
	}
	out, used := kgoCompressors[codec].Compress(new(bytes.Buffer), plain)
	if Codec(used) != codec {
		t.Fatalf("compressed with %d, not with %s", used, codec)
	}
	return bytes.Clone(out)
}

// readModel reads a fetch answer with kgo, which is independent of this package's code.
func readModel(t fatal, raw []byte) []row {
	t.Helper()
	p := kmsg.NewFetchResponseTopicPartition()
	p.RecordBatches = raw
	fetched, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{}, &p, kgo.DefaultDecompressor(), nil)
	if fetched.Err != nil {
		t.Fatalf("kgo can't read it: %v", fetched.Err)
	}
	var rows []row
	for _, r := range fetched.Records {
		rows = append(rows, kgoRow(r))
	}
	return rows
}

func kgoRow(r *kgo.Record) row {
	w := row{Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		w.Headers = append(w.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
	}
	return w
}

// copyRow takes everything out of a Record by its accessors.
func copyRow(rec Record) row {
	w := row{Offset: rec.Offset, Timestamp: rec.Timestamp, Key: bytes.Clone(rec.Key()), Value: bytes.Clone(rec.Value())}
	for k, v := range rec.Headers() {
		w.Headers = append(w.Headers, kmsg.Header{Key: string(k), Value: bytes.Clone(v)})
	}
	return w
}

// readAllRows reads a batch with a Reader.
func readAllRows(r *Reader, b Batch) ([]row, error) {
	if err := r.Reset(b); err != nil {
		return nil, err
	}
	var rows []row
	for r.Next() {
		rows = append(rows, copyRow(r.Record()))
	}
	return rows, r.Err()
}

func mustRead(t fatal, b Batch) []row {
	t.Helper()
	rows, err := readAllRows(NewReader(testLimit), b)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return rows
}

// sameBytes keeps null and empty apart, and is quick on a megabyte.
var sameBytes = cmp.Comparer(func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) })

func wantRows(t fatal, got, want []row) {
	t.Helper()
	if diff := cmp.Diff(want, got, sameBytes); diff != "" {
		t.Fatalf("records differ (-want +got):\n%s", diff)
	}
}

// renumber is what becomes of rows in a built batch: offsets from 0 without gaps.
func renumber(rows []row) []row {
	out := make([]row, len(rows))
	for i, r := range rows {
		r.Offset = int64(i)
		out[i] = r
	}
	return out
}

// sample is a batch with everything in it that is easily lost.
func sample(base int64) []row {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	return []row{
		{base, 1_700_000_000_000, []byte("k"), []byte("v"), nil},
		{base + 1, 1_700_000_000_005, nil, []byte("no key"), nil},
		{base + 2, 1_699_999_999_000, []byte{}, []byte{}, nil},
		{base + 3, 1_700_000_000_005, []byte("tombstone"), nil, nil},
		{base + 4, -1, []byte("headers"), []byte("v"), []kmsg.Header{
			{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "", Value: []byte{}}, {Key: "null"}, {Key: "a", Value: []byte("1")},
		}},
		{base + 5, 1_700_000_000_006, []byte("a megabyte"), big, nil},
	}
}

func genBytes() *rapid.Generator[[]byte] {
	return rapid.OneOf(
		rapid.Just([]byte(nil)), rapid.Just([]byte{}),
		rapid.SliceOfN(rapid.Byte(), 1, 40),
		rapid.Custom(func(t *rapid.T) []byte { return bytes.Repeat([]byte{'x'}, rapid.IntRange(60, 300).Draw(t, "length")) }),
	)
}

func genHeaders() *rapid.Generator[[]kmsg.Header] {
	header := rapid.Custom(func(t *rapid.T) kmsg.Header {
		return kmsg.Header{Key: rapid.SampledFrom([]string{"", "a", "b", "a longer key"}).Draw(t, "key"), Value: genBytes().Draw(t, "value")}
	})
	return rapid.Custom(func(t *rapid.T) []kmsg.Header {
		n := rapid.SampledFrom([]int{0, 0, 1, 2, 63, 64}).Draw(t, "headers")
		if n == 0 {
			return nil
		}
		return rapid.SliceOfN(header, n, n).Draw(t, "headers")
	})
}

// genRows draws rows from the offset base on, with gaps or without.
func genRows(base int64, gaps bool, n int) *rapid.Generator[[]row] {
	return rapid.Custom(func(t *rapid.T) []row {
		rows := make([]row, rapid.IntRange(1, n).Draw(t, "records"))
		next := base
		for i := range rows {
			rows[i] = row{
				Offset:    next,
				Timestamp: rapid.OneOf(rapid.Int64Range(-1, 3), rapid.Int64Range(1_700_000_000_000, 1_700_000_100_000)).Draw(t, "time"),
				Key:       genBytes().Draw(t, "key"), Value: genBytes().Draw(t, "value"), Headers: genHeaders().Draw(t, "headers"),
			}
			next++
			if gaps {
				next += rapid.SampledFrom([]int64{0, 0, 1, 200}).Draw(t, "gap")
			}
		}
		return rows
	})
}

var _ fatal = (*testing.T)(nil)
