package flow

import (
	"bytes"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
)

// row is a record as the model has it.
type row struct {
	Offset, Timestamp int64
	Key, Value        []byte
	Headers           []kmsg.Header
}

// failer is what testing.T, testing.B, testing.F and rapid.T have in common here.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

var codecs = []batch.Codec{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd}

// encode builds a batch with kmsg and kgo's compressors, which know nothing of package batch.
func encode(t failer, codec batch.Codec, rows []row) batch.Batch {
	t.Helper()
	first, last := rows[0], rows[len(rows)-1]
	b := kmsg.RecordBatch{
		FirstOffset: first.Offset, PartitionLeaderEpoch: 3, Magic: 2, Attributes: int16(codec), LastOffsetDelta: int32(last.Offset - first.Offset),
		FirstTimestamp: first.Timestamp, MaxTimestamp: first.Timestamp, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(len(rows)),
	}
	var plain []byte
	for _, r := range rows {
		k := kmsg.Record{TimestampDelta64: r.Timestamp - b.FirstTimestamp, OffsetDelta: int32(r.Offset - b.FirstOffset), Key: r.Key, Value: r.Value, Headers: r.Headers}
		k.Length = int32(len(k.AppendTo(nil)) - 1) // less the byte that a length of 0 takes
		plain = k.AppendTo(plain)
		b.MaxTimestamp = max(b.MaxTimestamp, r.Timestamp)
	}
	b.Records = compress(t, codec, plain)
	b.Length = int32(49 + len(b.Records)) // of the header's 61 bytes the first 12 are not counted
	raw := b.AppendTo(nil)
	b.CRC = int32(crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b.AppendTo(nil)
}

func compress(t failer, codec batch.Codec, plain []byte) []byte {
	t.Helper()
	c, err := kgo.DefaultCompressor(map[batch.Codec]kgo.CompressionCodec{
		batch.None: kgo.NoCompression(), batch.Gzip: kgo.GzipCompression(), batch.Snappy: kgo.SnappyCompression(),
		batch.LZ4: kgo.Lz4Compression(), batch.Zstd: kgo.ZstdCompression(),
	}[codec])
	if err != nil {
		t.Fatalf("%s: %v", codec, err)
	}
	if c == nil {
		return plain
	}
	out, _ := c.Compress(new(bytes.Buffer), plain)
	return out
}

// decode reads batches with kgo. Offsets are those in each batch.
func decode(t failer, b batch.Batch) (rows []row) {
	t.Helper()
	p := kmsg.NewFetchResponseTopicPartition()
	p.RecordBatches = b
	fetched, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{}, &p, kgo.DefaultDecompressor(), nil)
	if fetched.Err != nil {
		t.Fatalf("kgo can't read it: %v", fetched.Err)
	}
	for _, r := range fetched.Records {
		w := row{Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			w.Headers = append(w.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
		}
		rows = append(rows, w)
	}
	return rows
}

// decodeAll reads pieces, and gives the records the offsets that the runs tell.
func decodeAll(t failer, pieces []piece) (rows []row) {
	t.Helper()
	rec := newRecoder()
	for _, p := range pieces {
		if err := rec.check(p.data); err != nil {
			t.Fatalf("a piece that no broker should get: %v", err)
		}
		got, at := decode(t, p.data), 0
		for _, run := range p.runs {
			for i := range int64(run.count) {
				if got[at].Offset != int64(at) {
					t.Fatalf("record %d of a piece has offset %d", at, got[at].Offset)
				}
				got[at].Offset = int64(run.source) + i
				at++
			}
		}
		if at != len(got) || len(got) == 0 {
			t.Fatalf("%d records, and runs of %d", len(got), at)
		}
		rows = append(rows, got...)
	}
	return rows
}

var sameBytes = cmp.Comparer(func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) })

func wantRows(t failer, got, want []row) {
	t.Helper()
	if diff := cmp.Diff(want, got, sameBytes); diff != "" {
		t.Fatalf("records differ (-want +got):\n%s", diff)
	}
}

func drawBytes() *rapid.Generator[[]byte] {
	return rapid.OneOf(rapid.Just([]byte(nil)), rapid.Just([]byte{}), rapid.SliceOfN(rapid.Byte(), 1, 70))
}

// drawRows draws rows with gaps or without; some have a header of the key in question already, or two.
func drawRows(t *rapid.T) []row {
	header := rapid.Custom(func(t *rapid.T) kmsg.Header {
		return kmsg.Header{Key: rapid.SampledFrom([]string{"", "a", loop.HeaderKey, "meshd-origim"}).Draw(t, "header key"), Value: drawBytes().Draw(t, "header value")}
	})
	gap := rapid.SampledFrom([][]int64{{0}, {0, 0, 1, 300}}).Draw(t, "gaps")
	next := rapid.Int64Range(0, 1<<40).Draw(t, "base")
	rows := make([]row, rapid.IntRange(1, 30).Draw(t, "records"))
	for i := range rows {
		rows[i] = row{
			Offset: next, Timestamp: rapid.Int64Range(-1, 1<<41).Draw(t, "time"),
			Key: drawBytes().Draw(t, "key"), Value: drawBytes().Draw(t, "value"),
		}
		if n := rapid.SampledFrom([]int{0, 0, 0, 1, 2, 70}).Draw(t, "headers"); n > 0 {
			rows[i].Headers = rapid.SliceOfN(header, n, n).Draw(t, "headers")
		}
		next += 1 + rapid.SampledFrom(gap).Draw(t, "gap")
	}
	return rows
}

// stampedRow is what becomes of a row.
func stampedRow(r row, value []byte) row {
	if value == nil {
		return r
	}
	var headers []kmsg.Header
	for _, h := range r.Headers {
		if h.Key != loop.HeaderKey {
			headers = append(headers, h)
		}
	}
	headers = append(headers, kmsg.Header{Key: loop.HeaderKey, Value: value})
	r.Headers = headers
	return r
}

// lastOf is what a verdict is to be told of a row.
func lastOf(r row) (value []byte, ok bool) {
	for _, h := range r.Headers {
		if h.Key == loop.HeaderKey {
			value, ok = h.Value, true
		}
	}
	return value, ok
}

var _ failer = (*testing.T)(nil)
