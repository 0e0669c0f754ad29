package flow

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
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

// A source that says that it has more, and gives nothing of it, is not waited for in silence.
func TestSourceThatGivesNothing(t *testing.T) {
	p := loose(&mute{})
	fetched(p, 30, batchAt(t, 0, 0, 10, 100))
	p.onAck(Ack{Base: 0})
	if ws := p.status().Warnings; len(ws) > 0 {
		t.Fatalf("at once: %v", ws)
	}
	p.movedAt = p.movedAt.Add(-time.Minute)
	if ws := p.status().Warnings; len(ws) != 1 || ws[0].Code != kafka.SourceMute || !strings.Contains(ws[0].Text, "offsets 10 to 29,") {
		t.Fatalf("after a minute: %v", ws)
	}
	fetched(p, 30, batchAt(t, 10, 0, 20, 100))
	if ws := p.status().Warnings; len(ws) > 0 {
		t.Fatalf("when it came: %v", ws)
	}
}

// What can't be read at a cluster that is not the origin is a gap of the origin's log: who reads here has to know.
func TestUnreadableAtAHubIsAGap(t *testing.T) {
	p := loose(&mute{})
	p.Origin, p.Source = "us", "eu"
	bad := batchAt(t, 100, 0, 10, 100)
	bad[len(bad)-1] ^= 1
	p.at, p.passed = 100, srcPlace{100, -1}
	fetched(p, 110, bad)
	fetched(p, 110, bad)
	if p.reason.Code != kafka.CorruptBatch {
		t.Fatalf("%s: %s", p.state, p.reason)
	}
	p.OnGap = "continue"
	p.stepOver(100, 110, 7)
	if g, ok := p.prog.Gaps.Between(loop.Start, loop.Infinite); !ok || g.To.Offset != 7 || p.at != 110 || p.frontier(p.assigned).Offset != 7 {
		t.Fatalf("gaps %v, reads at %d behind %s", p.prog.Gaps, p.at, p.frontier(p.assigned))
	}
}
