//go:build unix

package flow

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
)

// eventRows are records whose values look like a service's events.
func eventRows(n, size int) []row {
	rows := make([]row, n)
	for i, value := range kafkatest.Events(n, size) {
		rows[i] = row{Offset: int64(i), Timestamp: 1_700_000_000_000 + int64(i), Key: fmt.Appendf(nil, "key-%d", i), Value: value}
	}
	return rows
}

// stamping gives every record the header that it has to have.
func stamping(b testing.TB) verdict {
	id, err := loop.NewClusterID("4L6g3nShT-eMCtK--X86sw")
	if err != nil {
		b.Fatal(err)
	}
	var buf [loop.HeaderMax]byte
	topic := loop.TopicTag("orders")
	return func(offset int64, _ []byte, _ bool) (bool, []byte, error) {
		return true, loop.AppendHeader(buf[:0], id, topic, 3, loop.Coordinate{Incarnation: 1, Epoch: 12, Offset: 5_000_000 + offset}), nil
	}
}

// cpu is the time that this process has computed, in ns: other work on the machine does not count.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkStamp is all that is done for a batch of nearly 1 MiB on its way, but for the network: the check of what came, the header of
// each record, and a batch of its own. MB are those of the records before compression and without headers.
func BenchmarkStamp(b *testing.B) {
	for _, codec := range codecs {
		for _, size := range []int{100, 1 << 10, 10 << 10} {
			rows := eventRows(900_000/size, size)
			src, plain := encode(b, codec, rows), len(encode(b, batch.None, rows))
			b.Run(fmt.Sprintf("%s/size=%d", codec, size), func(b *testing.B) {
				rec, ask := newRecoder(), stamping(b)
				b.ReportAllocs()
				out, start := 0, cpu(b)
				for b.Loop() {
					got, _, err := batch.Next(src)
					if err != nil {
						b.Fatal(err)
					}
					pieces, err := rec.stamp(got, 0, ask)
					if err != nil {
						b.Fatal(err)
					}
					out = 0
					for _, p := range pieces {
						out += len(p.data)
					}
				}
				b.ReportMetric(float64(cpu(b)-start)/float64(b.N)/float64(plain)*1e6, "cpu-ns/MB")
				b.ReportMetric(float64(out)/float64(len(src)), "size/source")
			})
		}
	}
}
