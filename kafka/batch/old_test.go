package batch

import (
	"bytes"
	"errors"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

var oldCodecs = []Codec{None, Gzip, Snappy, LZ4}

// message encodes one message of format 0 or 1 with kmsg.
func message(magic int8, attributes int8, r row) []byte {
	var raw []byte
	if magic == 0 {
		m := kmsg.MessageV0{Offset: r.Offset, Attributes: attributes, Key: r.Key, Value: r.Value}
		raw = m.AppendTo(nil)
	} else {
		m := kmsg.MessageV1{Offset: r.Offset, Magic: 1, Attributes: attributes, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value}
		raw = m.AppendTo(nil)
	}
	return sealOld(raw)
}

func sealOld(raw []byte) []byte {
	Batch(raw).putUint32(lengthAt, uint32(len(raw)-logOverhead))
	Batch(raw).putUint32(oldCRCAt, crc32.ChecksumIEEE(raw[magicAt:]))
	return raw
}

// set encodes rows as a broker has stored them: message by message, or in one wrapper, in format 1 with relative offsets.
func set(t fatal, magic int8, codec Codec, rows []row) (out []byte) {
	t.Helper()
	for i, r := range rows {
		if magic == 1 && codec != None {
			r.Offset = rows[i].Offset - rows[0].Offset
		}
		out = append(out, message(magic, 0, r)...)
	}
	if codec == None {
		return out
	}
	last := rows[len(rows)-1]
	return message(magic, int8(codec), row{last.Offset, last.Timestamp, nil, compressModel(t, codec, out), nil})
}

// asOld is what an old format keeps of rows: no headers, in format 0 no timestamp.
func asOld(magic int8, rows []row) []row {
	out := make([]row, len(rows))
	for i, r := range rows {
		r.Headers = nil
		if magic == 0 {
			r.Timestamp = -1
		}
		out[i] = r
	}
	return out
}

// readFetch reads all that a fetch answer holds, of any format.
func readFetch(t fatal, data []byte) (rows []row) {
	t.Helper()
	r := NewReader(testLimit)
	for len(data) > 0 {
		b, rest, err := Next(data)
		if err != nil {
			t.Fatalf("next: %v", err)
		}
		got, err := readAllRows(r, b)
		if err != nil {
			t.Fatalf("reading: %v", err)
		}
		if got[len(got)-1].Offset != b.LastOffset() {
			t.Fatalf("last offset %d, the batch says %d", got[len(got)-1].Offset, b.LastOffset())
		}
		rows, data = append(rows, got...), rest
	}
	return rows
}

// What kmsg has encoded in an old format, the Reader yields, and so does kgo.
func TestOldAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		magic := rapid.SampledFrom([]int8{0, 1}).Draw(t, "magic")
		codec := rapid.SampledFrom(oldCodecs).Draw(t, "codec")
		rows := genRows(rapid.Int64Range(0, 1<<40).Draw(t, "base"), rapid.Bool().Draw(t, "gaps"), 10).Draw(t, "rows")
		data := set(t, magic, codec, rows)
		got := readFetch(t, data)
		wantRows(t, got, asOld(magic, rows))
		wantRows(t, nullKept(got), nullKept(readModel(t, data)))
	})
}

// nullKept hides what kgo does not keep in old formats: whether a key or value was null, and that there was no timestamp.
func nullKept(rows []row) []row {
	for i, r := range rows {
		rows[i].Key, rows[i].Value = append([]byte{}, r.Key...), append([]byte{}, r.Value...)
		if r.Timestamp == (time.Time{}).UnixMilli() {
			rows[i].Timestamp = -1
		}
	}
	return rows
}

// In format 1 the wrapper of a topic with LogAppendTime carries the time of all its messages. kgo 1.22.2 can't be the judge here:
// it yields the producer's times.
// Who reads a log asks each batch who wrote it, also the shortest one, which ends before a batch would say so.
func TestOldHasNoProducer(t *testing.T) {
	for magic := range int8(2) {
		for _, n := range []int{0, 100} { // in the longer one are other bytes where a batch has its producer
			b, _, err := Next(message(magic, 0, row{Offset: 7, Value: bytes.Repeat([]byte{0xff}, n)}))
			if err != nil {
				t.Fatal(err)
			}
			if b.ProducerID() != -1 || b.ProducerEpoch() != -1 || b.BaseSequence() != -1 || b.Control() || b.BaseOffset() != 7 {
				t.Errorf("magic %d: producer %d, epoch %d, sequence %d, control %v", magic, b.ProducerID(), b.ProducerEpoch(), b.BaseSequence(), b.Control())
			}
		}
	}
}

func TestOldLogAppendTime(t *testing.T) {
	rows := []row{{20, 5, nil, []byte("a"), nil}, {21, 6, nil, []byte("b"), nil}}
	inner := append(message(1, 0, row{0, 5, nil, []byte("a"), nil}), message(1, 0, row{1, 6, nil, []byte("b"), nil})...)
	wrapped := message(1, int8(Gzip)|int8(logAppendTimeBit), row{21, 99, nil, compressModel(t, Gzip, inner), nil})
	if !Batch(wrapped).LogAppendTime() || Batch(wrapped).Codec() != Gzip {
		t.Fatalf("attributes %#x", Batch(wrapped).Attributes())
	}
	rows[0].Timestamp, rows[1].Timestamp = 99, 99
	wantRows(t, readFetch(t, wrapped), rows)
}

// The log cleaner of Kafka 0.10 could leave messages of format 0 in a wrapper of format 1 (KAFKA-4298).
func TestOldMixedMagic(t *testing.T) {
	inner := append(message(0, 0, row{0, 0, nil, []byte("a"), nil}), message(1, 0, row{3, 6, nil, []byte("b"), nil})...)
	wrapped := message(1, int8(LZ4), row{103, 6, nil, compressModel(t, LZ4, inner), nil})
	wantRows(t, readFetch(t, wrapped), []row{{100, -1, nil, []byte("a"), nil}, {103, 6, nil, []byte("b"), nil}})
}

// Clients of format 0 wrote a wrong checksum in the header of an LZ4 frame (KAFKA-3160).
func TestOldLZ4Checksum(t *testing.T) {
	inner := message(0, 0, row{4, 0, []byte("k"), bytes.Repeat([]byte("v"), 100), nil})
	payload := compressModel(t, LZ4, inner)
	payload[6] ^= 0x5a
	wrapped := message(0, int8(LZ4), row{4, 0, nil, payload, nil})
	wantRows(t, readFetch(t, wrapped), []row{{4, -1, []byte("k"), bytes.Repeat([]byte("v"), 100), nil}})
}

// Messages of old formats are merged and rewritten like any batch.
func TestOldRewrite(t *testing.T) {
	rows := asOld(1, sample(30))
	for _, codec := range oldCodecs {
		data := set(t, 1, codec, rows)
		r, b := NewReader(testLimit), NewBuilder()
		b.Reset(nil, codec, testLimit)
		for len(data) > 0 {
			src, rest, err := Next(data)
			if err != nil || CopyReason(src) != RewriteOldFormat {
				t.Fatalf("%s: %v", CopyReason(src), err)
			}
			if n, err := b.Merge(r, []Batch{src}); n != 1 || err != nil {
				t.Fatalf("merged %d: %v", n, err)
			}
			data = rest
		}
		wantRows(t, readModel(t, mustFinish(t, b)), renumber(rows))
	}
}

func TestOldRefuses(t *testing.T) {
	one := row{5, 7, []byte("key"), []byte("value"), nil}
	wrap := func(codec Codec, offset int64, inner ...byte) []byte {
		return message(1, int8(codec), row{offset, 7, nil, compressModel(t, codec, inner), nil})
	}
	at := func(offset int64) []byte { return message(1, 0, row{offset, 7, nil, nil, nil}) }
	two := func(a, b int64) []byte { return append(at(a), at(b)...) }
	bent := func(b []byte, i int) []byte { b[i] ^= 1; return b }
	cases := []struct {
		name, want string
		data       []byte
	}{
		{"a wrong CRC", "CRC", bent(message(0, 0, one), 30)},
		{"a wrong CRC inside", "CRC", wrap(Gzip, 5, bent(message(1, 0, one), 30)...)},
		{"zstd", "unknown codec 4", wrap(Zstd, 5, at(0)...)},
		{"a codec inside", "compressed message in", wrap(Snappy, 5, message(1, 1, row{0, 7, nil, nil, nil})...)},
		{"a null set", "gzip", message(1, int8(Gzip), row{5, 7, nil, nil, nil})},
		{"an empty set", "does not fit", wrap(Gzip, 5)},
		{"a set cut off", "does not fit", wrap(LZ4, 5, at(0)[:20]...)},
		{"a batch of magic 2 inside", "does not fit", wrap(LZ4, 5, encode(t, None, sample(0)[:1], nil)...)},
		{"an offset twice", "bad offset delta", wrap(Gzip, 9, two(3, 3)...)},
		{"offsets that fall", "a set of messages", wrap(Gzip, 9, two(3, 2)...)},
		{"offsets before 0", "a set of messages", wrap(Gzip, 1, two(0, 3)...)},
		{"negative offsets", "a set of messages", wrap(Gzip, 1, two(-3, 0)...)},
		{"offsets too far apart", "in a set that begins at", wrap(Gzip, 1<<40, two(0, 1<<33)...)},
		{"offsets beyond the wrapper", "a set of messages", message(0, int8(Gzip),
			row{5, 0, nil, compressModel(t, Gzip, message(0, 0, row{6, 0, nil, nil, nil})), nil})},
		{"bytes behind the value", "does not fit", sealOld(append(message(0, 0, one), 0))},
		{"a key beyond the message", "does not fit", func() []byte {
			m := message(0, 0, one)
			Batch(m).putUint32(oldTimeAt, 1000)
			return sealOld(m)
		}()},
		{"format 1 without a timestamp", "below a message's", func() []byte {
			m := message(0, 0, row{})
			m[magicAt] = 1
			return sealOld(m)
		}()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b, _, err := Next(c.data)
			if err == nil {
				_, err = readAllRows(NewReader(testLimit), b)
			}
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}
