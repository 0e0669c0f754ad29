package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// workload says what records look like. Record i goes to partition i mod partitions.
type workload struct {
	records    int
	size       int // bytes of a value
	partitions int
	codec      string
	batch      int // records in a batch of the source; 0: as many as fit
}

// noise is what values are filled with: longer than any codec's window sees at once.
var noise = func() []byte {
	random, block := rand.New(rand.NewPCG(1, 2)), make([]byte, 0, 16<<20)
	for len(block) < cap(block) {
		block = binary.LittleEndian.AppendUint64(block, random.Uint64())
	}
	return block
}()

// head is what a value begins with: its number, and when it was made, in nanoseconds.
const head = 16

// record makes record i. Half its value is noise and half is zero, so that it compresses to about a half.
func (w workload) record(topic string, i int) *kgo.Record {
	value := make([]byte, w.size)
	half := w.size / 2
	at := i * half % (len(noise) - half)
	copy(value[head:], noise[at:at+half-min(half, head)])
	now := time.Now()
	binary.BigEndian.PutUint64(value, uint64(i))
	binary.BigEndian.PutUint64(value[8:], uint64(now.UnixNano()))
	return &kgo.Record{Topic: topic, Partition: int32(i % w.partitions), Key: fmt.Appendf(nil, "%010d", i), Value: value, Timestamp: now}
}

// number and madeAt read what record wrote.
func number(r *kgo.Record) int { return int(binary.BigEndian.Uint64(r.Value)) }

func madeAt(r *kgo.Record) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(r.Value[8:])))
}

// megabytes is the size of all values, in 10^6 bytes.
func (w workload) megabytes() float64 { return float64(w.records) * float64(w.size) / 1e6 }

// options are those of a producer whose batches are as the workload says.
func (w workload) options() []kgo.Opt {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	options := []kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codecs[w.codec])}
	if w.batch > 0 {
		const batchHead, recordHead = 61, 46 // what they take beside the value, in the old format too: the client counts with the larger
		options = append(options, kgo.ProducerBatchMaxBytes(int32(max(1<<10, batchHead+w.batch*(w.size+recordHead)))))
	}
	return options
}
