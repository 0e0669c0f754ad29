package flow

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
)

// lying is a compressed batch that says that it has a record more than it has, with the CRC of what it says: only who decompresses it finds out.
func lying(t *testing.T) []byte {
	t.Helper()
	b := batch.NewBuilder()
	b.Reset(nil, batch.LZ4, 64<<20)
	for range 10 {
		b.Append(entry{"k", make([]byte, 3000)}.record(time.Now().UnixMilli()))
	}
	data, err := b.Finish(-1, -1, -1)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(data[23:], 10)
	binary.BigEndian.PutUint32(data[57:], 11)
	binary.BigEndian.PutUint32(data[17:], crc32.Checksum(data[21:], crc32.MakeTable(crc32.Castagnoli)))
	return data
}

// What is copied whole is not read here. A destination's broker reads it, and refuses it: the fault is the source's.
func TestRefusedBatchThatLies(t *testing.T) {
	p := loose(&mute{})
	fetched(p, 11, lying(t))
	if len(p.busy) != 1 {
		t.Fatalf("state %s (%s), %d batches under way", p.state, p.reason, len(p.busy))
	}
	p.onAck(Ack{Err: kerr.InvalidRecord})
	if p.state != Failed || p.reason.Code != kafka.CorruptBatch {
		t.Fatalf("state %s, reason %s", p.state, p.reason)
	}
	t.Log(p.reason)
	p = loose(&mute{})
	fetched(p, 10, batchAt(t, 0, 0, 10, 20<<10))
	p.onAck(Ack{Err: kerr.InvalidRecord})
	if p.reason.Code != kafka.Rejected {
		t.Fatalf("a sound batch that was refused: %s", p.reason)
	}
}

// A batch that came in parts is asked for once more before it is held for damaged.
func TestCutBatchIsAskedForAgain(t *testing.T) {
	p := loose(&mute{})
	b := batchAt(t, 0, 0, 10, 100)
	fetched(p, 10, b[:len(b)-1])
	if p.state == Failed {
		t.Fatal(p.reason)
	}
	fetched(p, 10, b[:len(b)-1])
	if p.state != Failed || p.reason.Code != kafka.CorruptBatch {
		t.Fatalf("state %s, reason %s", p.state, p.reason)
	}
	fetched(p, 10, b)
	if p.state != Streaming || len(p.busy) != 1 {
		t.Fatalf("state %s when all of it came", p.state)
	}
}
