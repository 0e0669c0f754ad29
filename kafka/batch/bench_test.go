package batch

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
)

// benchRows are records whose values look like a service's events.
func benchRows(n, size int) []row {
	rows := make([]row, n)
	for i, value := range kafkatest.Events(n, size) {
		rows[i] = row{Offset: int64(i), Timestamp: 1_700_000_000_000 + int64(i), Key: fmt.Appendf(nil, "key-%d", i), Value: value}
	}
	return rows
}

// benchBatches are some 1 MiB of records of 1 KiB, count of them in a batch.
func benchBatches(b *testing.B, codec Codec, count int) (batches []Batch, plain int64) {
	rows := benchRows(1024, 1024)
	for i := 0; i < len(rows); i += count {
		part := rows[i:min(i+count, len(rows))]
		batches = append(batches, encode(b, codec, part, nil))
		plain += int64(len(encode(b, None, part, nil)))
	}
	return batches, plain
}

func join(batches []Batch) []byte {
	var all []byte
	for _, b := range batches {
		all = append(all, b...)
	}
	return all
}

// BenchmarkCopy is what a copied batch costs: check it, and patch it in place. Bytes are those on the wire.
func BenchmarkCopy(b *testing.B) {
	for _, count := range []int{1, 16, 1024} {
		batches, plain := benchBatches(b, None, count)
		data := join(batches)
		b.Run(fmt.Sprintf("records=%d", count), func(b *testing.B) {
			b.SetBytes(plain)
			b.ReportAllocs()
			for b.Loop() {
				for rest := data; len(rest) > 0; {
					src, next, err := Next(rest)
					if err != nil {
						b.Fatal(err)
					}
					if err := Patch(src, 4711, 1, 77); err != nil {
						b.Fatal(err)
					}
					rest = next
				}
			}
		})
	}
}

// BenchmarkPatch is Patch alone: its cost does not grow with the batch but by the length of a number.
func BenchmarkPatch(b *testing.B) {
	for _, count := range []int{1, 1024} {
		batches, _ := benchBatches(b, None, count)
		b.Run(fmt.Sprintf("records=%d", count), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Patch(batches[0], 4711, 1, 77); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecode reads every record with its key, value and headers. Bytes are those after decompression, here and below.
func BenchmarkDecode(b *testing.B) {
	for _, codec := range codecs {
		batches, plain := benchBatches(b, codec, 1024)
		b.Run(codec.String(), func(b *testing.B) {
			r := NewReader(testLimit)
			b.SetBytes(plain)
			b.ReportAllocs()
			for b.Loop() {
				sink := 0
				if err := r.Reset(batches[0]); err != nil {
					b.Fatal(err)
				}
				for r.Next() {
					rec := r.Record()
					sink += len(rec.Key()) + len(rec.Value())
					for k, v := range rec.Headers() {
						sink += len(k) + len(v)
					}
				}
				if r.Err() != nil || sink == 0 {
					b.Fatal(r.Err())
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/record")
		})
	}
}

// BenchmarkDecodeSmall is the cost of a record: 100 bytes each, uncompressed.
func BenchmarkDecodeSmall(b *testing.B) {
	src := encode(b, None, benchRows(10_000, 80), nil)
	r := NewReader(testLimit)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Reset(src); err != nil {
			b.Fatal(err)
		}
		for r.Next() {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/record")
}

// BenchmarkRewrite decodes a batch and encodes it again with its codec.
func BenchmarkRewrite(b *testing.B) {
	for _, codec := range codecs {
		batches, plain := benchBatches(b, codec, 1024)
		b.Run(codec.String(), func(b *testing.B) {
			r, w := NewReader(testLimit), NewBuilder()
			dst := make([]byte, 0, 4<<20)
			b.SetBytes(plain)
			b.ReportAllocs()
			var out Batch
			for b.Loop() {
				w.Reset(dst, codec, testLimit)
				if fits, err := w.AppendBatch(r, batches[0]); !fits || err != nil {
					b.Fatal(fits, err)
				}
				out, _ = w.Finish(4711, 1, 77)
			}
			b.ReportMetric(float64(len(out))/float64(len(batches[0])), "size/source")
		})
	}
}

// BenchmarkMerge makes one batch of small ones, and checks it.
func BenchmarkMerge(b *testing.B) {
	for _, codec := range []Codec{None, LZ4, Zstd} {
		for _, count := range []int{1, 4, 16} {
			batches, plain := benchBatches(b, codec, count)
			b.Run(fmt.Sprintf("%s/records=%d", codec, count), func(b *testing.B) {
				r, w := NewReader(testLimit), NewBuilder()
				dst := make([]byte, 0, 4<<20)
				b.SetBytes(plain)
				b.ReportAllocs()
				for b.Loop() {
					w.Reset(dst, codec, testLimit)
					if n, err := w.Merge(r, batches); n != len(batches) || err != nil {
						b.Fatal(n, err)
					}
					out, err := w.Finish(4711, 1, 77)
					if err != nil {
						b.Fatal(err)
					}
					if err := r.Check(out); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// benchSizes are sizes of records, and how many of each make some MiB.
var benchSizes = []struct{ size, count int }{{100, 10_000}, {1 << 10, 1024}, {10 << 10, 102}}

// BenchmarkStamp gives every record of a batch a header. The header is as large as that of meshd, and differs from record to record as
// that does. size/source compares with the batch that kgo had compressed.
func BenchmarkStamp(b *testing.B) {
	for _, codec := range codecs {
		for _, s := range benchSizes {
			src := encode(b, codec, benchRows(s.count, s.size), nil)
			plain := len(encode(b, None, benchRows(s.count, s.size), nil))
			b.Run(fmt.Sprintf("%s/size=%d", codec, s.size), func(b *testing.B) {
				r, w := NewReader(testLimit), NewBuilder()
				dst, value := make([]byte, 0, 4<<20), make([]byte, 30)
				b.SetBytes(int64(plain))
				b.ReportAllocs()
				var out Batch
				for b.Loop() {
					w.Reset(dst, codec, testLimit)
					if err := r.Reset(src); err != nil {
						b.Fatal(err)
					}
					for r.Next() {
						if _, ok := r.Record().LastHeader("meshd-origin"); !ok {
							binary.PutUvarint(value[26:], uint64(r.Record().Offset))
							w.AppendWithHeader(r.Record(), "meshd-origin", value)
						}
					}
					out, _ = w.Finish(4711, 1, 77)
				}
				if out.Count() != int32(s.count) {
					b.Fatal(out.Count(), r.Err())
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.count), "ns/record")
				b.ReportMetric(float64(len(out))/float64(len(src)), "size/source")
			})
		}
	}
}

// BenchmarkEnds finds the first and the last record of a batch.
func BenchmarkEnds(b *testing.B) {
	for _, codec := range codecs {
		for _, s := range benchSizes {
			rows := benchRows(s.count, s.size)
			src, plain := encode(b, codec, rows, nil), len(encode(b, None, rows, nil))
			b.Run(fmt.Sprintf("%s/size=%d", codec, s.size), func(b *testing.B) {
				r := NewReader(testLimit)
				b.SetBytes(int64(plain))
				b.ReportAllocs()
				for b.Loop() {
					if err := r.Reset(src); err != nil {
						b.Fatal(err)
					}
					if _, last, err := r.Ends(); err != nil || last.Offset != int64(s.count-1) {
						b.Fatal(last.Offset, err)
					}
				}
			})
		}
	}
}
