package batch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestNextWalksAFetch(t *testing.T) {
	first := encode(t, LZ4, sample(0), nil)
	second := encode(t, None, sample(6), nil)
	data := append(append(bytes.Clone(first), second...), first[:len(first)-1]...)
	b, rest, err := Next(data)
	if err != nil || !bytes.Equal(b, first) {
		t.Fatalf("first: %v", err)
	}
	if cap(b) != len(b) {
		t.Fatal("an append to the first batch would overwrite the second")
	}
	b, rest, err = Next(rest)
	if err != nil || !bytes.Equal(b, second) {
		t.Fatalf("second: %v", err)
	}
	for cut := range rest { // the tail, cut anywhere
		if _, _, err := Next(rest[:cut]); !errors.Is(err, ErrPartial) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
	if Batch(rest).Size() != len(first) {
		t.Fatalf("a partial batch says %d bytes, has %d", Batch(rest).Size(), len(first))
	}
}

// The accessors against kmsg's decoder.
func TestAccessors(t *testing.T) {
	b := encode(t, Zstd, sample(1<<40), func(b *kmsg.RecordBatch) {
		b.Attributes |= transactionalBit
		b.ProducerID, b.ProducerEpoch, b.FirstSequence = 1<<50, 32_000, math.MaxInt32
	})
	var k kmsg.RecordBatch
	if err := k.ReadFrom(b); err != nil {
		t.Fatal(err)
	}
	got := kmsg.RecordBatch{
		FirstOffset: b.BaseOffset(), Length: b.Length(), PartitionLeaderEpoch: b.PartitionLeaderEpoch(), Magic: b.Magic(),
		CRC: int32(b.CRC()), Attributes: b.Attributes(), LastOffsetDelta: b.LastOffsetDelta(), FirstTimestamp: b.BaseTimestamp(),
		MaxTimestamp: b.MaxTimestamp(), ProducerID: b.ProducerID(), ProducerEpoch: b.ProducerEpoch(),
		FirstSequence: b.BaseSequence(), NumRecords: b.Count(), Records: b[recordsAt:],
	}
	if !bytes.Equal(got.AppendTo(nil), k.AppendTo(nil)) {
		t.Fatalf("accessors say %+v, kmsg %+v", got, k)
	}
	if b.Codec() != Zstd || !b.Transactional() || b.Control() || b.LogAppendTime() || b.DeleteHorizon() || b.Size() != len(b) {
		t.Fatalf("attributes %#x", b.Attributes())
	}
	if b.LastOffset() != 1<<40+5 || b.NextOffset() != 1<<40+6 {
		t.Fatalf("offsets to %d, then %d", b.LastOffset(), b.NextOffset())
	}
}

func TestNextRefuses(t *testing.T) {
	good := encode(t, None, sample(40)[:3], nil)
	set := func(at int, v ...byte) func(b []byte) {
		return func(b []byte) { copy(b[at:], v) }
	}
	// fixed changes a field that the CRC covers, and makes the CRC agree.
	fixed := func(at int, v ...byte) func(b []byte) {
		return func(b []byte) {
			copy(b[at:], v)
			binary.BigEndian.PutUint32(b[crcAt:], checksum(b))
		}
	}
	cases := []struct {
		name, want string
		change     func(b []byte)
		noEnd      bool // nothing can be told of where the next batch begins
	}{
		{"a bit of a record", "CRC is", func(b []byte) { b[len(b)-1] ^= 1 }, false},
		{"a bit of the CRC", "CRC is", func(b []byte) { b[crcAt] ^= 1 }, false},
		{"a bit of the attributes", "CRC is", func(b []byte) { b[attributesAt] ^= 1 }, false},
		{"magic 3", "unknown magic 3", set(magicAt, 3), true},
		{"magic -1", "unknown magic -1", set(magicAt, 0xff), true},
		{"a magic of old", "a message", set(magicAt, 1), false},
		{"a negative length", "length -1", set(lengthAt, 0xff, 0xff, 0xff, 0xff), true},
		{"no length", "length 0", set(lengthAt, 0, 0, 0, 0), true},
		{"a length below a header's", "length 48", set(lengthAt, 0, 0, 0, 48), false},
		{"a length a byte short", "CRC is", func(b []byte) { b[lengthAt+3]-- }, false},
		{"a negative base offset", "negative base offset", set(0, 0x80), false},
		{"an offset without a successor", "last offset delta", set(0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), false},
		{"codec 5", "unknown codec 5", fixed(attributesAt, 0, 5), false},
		{"a negative last offset delta", "last offset delta -1", fixed(lastOffsetDeltaAt, 0xff, 0xff, 0xff, 0xff), false},
		{"a negative count", "-1 records", fixed(countAt, 0xff, 0xff, 0xff, 0xff), false},
		{"a count above the range", "4 records in a range of 3", fixed(countAt, 0, 0, 0, 4), false},
		{"a count above the bytes", "records in", func(b []byte) {
			fixed(lastOffsetDeltaAt, 0x7f, 0xff, 0xff, 0xfe)(b)
			fixed(countAt, 0x7f, 0xff, 0xff, 0xff)(b)
		}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bad := bytes.Clone(good)
			c.change(bad)
			b, rest, err := Next(append(bad, good...))
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if corrupt.Offset != Batch(bad).BaseOffset() {
				t.Fatalf("offset %d", corrupt.Offset)
			}
			if c.noEnd != (b == nil) || c.noEnd != (rest == nil) {
				t.Fatalf("batch %d bytes, rest %d bytes", len(b), len(rest))
			}
		})
	}
}

// A length that lies upwards can't be told from a cut.
func TestNextLengthBeyond(t *testing.T) {
	b := encode(t, None, sample(0)[:1], nil)
	b.putUint32(lengthAt, math.MaxInt32)
	if _, _, err := Next(b); !errors.Is(err, ErrPartial) {
		t.Fatal(err)
	}
}
