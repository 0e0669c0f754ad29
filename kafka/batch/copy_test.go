package batch

import (
	"bytes"
	"hash/crc32"
	"math"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

func TestCopyReason(t *testing.T) {
	cases := []struct {
		name   string
		change func(*kmsg.RecordBatch)
		want   Why
	}{
		{"plain", nil, Copy},
		{"idempotent", func(b *kmsg.RecordBatch) { b.ProducerID, b.ProducerEpoch, b.FirstSequence = 9, 1, 7 }, Copy},
		{"transactional", func(b *kmsg.RecordBatch) { b.Attributes |= transactionalBit }, Copy},
		{"delete horizon", func(b *kmsg.RecordBatch) { b.Attributes |= deleteHorizonBit }, Copy},
		{"control", func(b *kmsg.RecordBatch) { b.Attributes |= controlBit | transactionalBit }, SkipControl},
		{"append time", func(b *kmsg.RecordBatch) { b.Attributes |= logAppendTimeBit }, RewriteLogAppendTime},
		{"bit 7", func(b *kmsg.RecordBatch) { b.Attributes |= 1 << 7 }, RewriteUnknownAttributes},
		{"bit 15", func(b *kmsg.RecordBatch) { b.Attributes = -1 << 15 }, RewriteUnknownAttributes},
		{"gap at the end", func(b *kmsg.RecordBatch) { b.LastOffsetDelta++ }, RewriteCompacted},
		{"gap at the beginning", func(b *kmsg.RecordBatch) { b.FirstOffset, b.LastOffsetDelta = 39, 6 }, RewriteCompacted},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			once := false
			b := encode(t, None, sample(40), func(b *kmsg.RecordBatch) {
				if c.change != nil && !once {
					c.change(b)
				}
				once = true
			})
			if _, _, err := Next(b); err != nil {
				t.Fatal(err)
			}
			if got := CopyReason(b); got != c.want {
				t.Fatalf("got %s, want %s", got, c.want)
			}
			before := bytes.Clone(b)
			err := Patch(b, 1, 2, 3)
			if (err == nil) != (c.want == Copy) {
				t.Fatalf("Patch says %v", err)
			}
			if err != nil && !bytes.Equal(b, before) {
				t.Fatal("Patch refused, and changed the batch")
			}
		})
	}
}

func TestPatch(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			source := encode(t, codec, sample(1<<33), func(b *kmsg.RecordBatch) { b.Attributes |= transactionalBit })
			patched, err := AppendPatched([]byte("before"), source, 4711, 12, math.MaxInt32)
			if err != nil {
				t.Fatal(err)
			}
			b, _, err := Next(patched[len("before"):])
			if err != nil {
				t.Fatal(err)
			}
			if err := NewReader(testLimit).Check(b); err != nil {
				t.Fatal(err)
			}
			if b.PartitionLeaderEpoch() != -1 || b.ProducerID() != 4711 || b.ProducerEpoch() != 12 || b.BaseSequence() != math.MaxInt32 {
				t.Fatal("the producer's fields are not set")
			}
			if !bytes.Equal(b[countAt:], source[countAt:]) {
				t.Fatal("records are not the same bytes")
			}
			wantRows(t, readModel(t, b), renumber(sample(0)))
			wantRows(t, mustRead(t, source), sample(1<<33)) // the source was not touched
		})
	}
}

// A batch with a delete horizon counts its deltas from the horizon (KIP-534). Copied without the bit it has the same timestamps.
func TestPatchDeleteHorizon(t *testing.T) {
	rows := []row{{40, 1_700_000_000_000, []byte("k"), nil, nil}, {41, 1_700_000_000_009, []byte("l"), []byte("v"), nil}}
	b := encode(t, None, rows, func(b *kmsg.RecordBatch) {
		b.Attributes |= deleteHorizonBit
		b.FirstTimestamp = 1_700_086_400_000
	})
	if !b.DeleteHorizon() || b.BaseTimestamp() != 1_700_086_400_000 {
		t.Fatal("the horizon is not there")
	}
	if err := Patch(b, 1, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := NewReader(testLimit).Check(b); err != nil {
		t.Fatal(err)
	}
	wantRows(t, readModel(t, b), renumber(rows))
}

// A batch that was damaged after its CRC was checked is still found by whoever checks it next.
func TestPatchKeepsDamageVisible(t *testing.T) {
	b := encode(t, LZ4, sample(3), nil)
	b[len(b)/2] ^= 0x10
	if err := Patch(b, 1, 2, 3); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Next(b); err == nil {
		t.Fatal("the damage has a valid CRC")
	}
}

func TestReplaceHead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 64).Draw(t, "head")
		head := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "old")
		newHead := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "new")
		tail := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 7).Draw(t, "tail"), rapid.IntRange(0, 30_000).Draw(t, "times"))
		sum := func(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }
		got := replaceHead(sum(append(bytes.Clone(head), tail...)), sum(head), sum(newHead), len(tail))
		if want := sum(append(bytes.Clone(newHead), tail...)); got != want {
			t.Fatalf("got %08x, want %08x", got, want)
		}
	})
}

func TestAddSequence(t *testing.T) {
	for _, c := range []struct{ seq, n, want int32 }{
		{0, 0, 0},
		{0, 5, 5},
		{math.MaxInt32 - 1, 1, math.MaxInt32},
		{math.MaxInt32, 1, 0},
		{math.MaxInt32 - 2, 5, 2},
		{math.MaxInt32, math.MaxInt32, math.MaxInt32 - 1},
	} {
		if got := AddSequence(c.seq, c.n); got != c.want {
			t.Errorf("AddSequence(%d, %d) = %d, want %d", c.seq, c.n, got, c.want)
		}
	}
}
