package flow

import (
	"context"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/offsetxlate"
)

// mute is an owner that only remembers that the shard was to end.
type mute struct {
	partOwner
	failed error
}

func (*mute) needNote(*part)                                         {}
func (*mute) wakeFetch(*part)                                        {}
func (*mute) acked(*part, int64)                                     {}
func (*mute) foundStrange(*part, offsetxlate.Dest, offsetxlate.Dest) {}
func (s *mute) partFailed(_ *part, err error)                        { s.failed = err }

// loose is a part that reads nowhere, and whose batches go nowhere.
func loose(o partOwner) *part {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := &part{
		owner: o, budget: NewBudget(1 << 30), state: CatchingUp, lastEpoch: -1, unnoted: nothingUnnoted, memory: kafka.DefaultMemory.Producer,
		xlate: offsetxlate.New(offsetxlate.Point{}),
	}
	p.outlet = (&Producer{ctx: ctx}).Outlet("t", 0, p.onAck, p.stuck)
	return p
}

// batchAt is a batch of n records of one topic's partition, from an offset on, of a leader's epoch.
func batchAt(t *testing.T, offset int64, epoch int32, n, size int) []byte {
	t.Helper()
	b := batch.NewBuilder()
	b.Reset(nil, batch.None, 64<<20)
	for range n {
		b.Append(entry{"k", make([]byte, size)}.record(time.Now().UnixMilli()))
	}
	data, err := b.Finish(-1, -1, -1)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint64(data, uint64(offset))
	binary.BigEndian.PutUint32(data[12:], uint32(epoch))
	return data
}

// fetched gives a part an answer with these batches.
func fetched(p *part, end int64, batches ...[]byte) {
	rp := kmsg.NewFetchResponseTopicPartition()
	rp.RecordBatches, rp.HighWatermark, rp.LastStableOffset = slices.Concat(batches...), end, end
	rp.DivergingEpoch.EndOffset = -1
	l := p.budget.lease(0, nil)
	p.deliver(kafka.Got{FetchResponseTopicPartition: &rp, Want: kafka.Want{Offset: int64(p.at)}}, l, newRecoder())
	l.done()
}

// What was read before a batch that can't be believed goes out, and its memory with it; the part reads on once the source is mended.
func TestCorruptBatchHoldsNothingBack(t *testing.T) {
	p := loose(&mute{})
	bad := batchAt(t, 20, 0, 10, 100)
	bad[len(bad)-1] ^= 1
	fetched(p, 30, batchAt(t, 0, 0, 10, 200<<10), batchAt(t, 10, 0, 10, 200<<10), bad)
	if p.state != Failed || p.reason.Code != kafka.CorruptBatch {
		t.Fatalf("state %s, reason %s", p.state, p.reason.Code)
	}
	for n := int64(0); n < 20; n += 10 {
		if len(p.busy) == 0 {
			t.Fatalf("of 20 records %d were sent", n)
		}
		p.onAck(Ack{Base: n})
	}
	if _, ok, _ := p.want(p.retryAt); !ok {
		t.Fatal("the part wants nothing any more")
	}
	if used := p.budget.Used(); used != 0 {
		t.Fatalf("%d bytes are held", used)
	}
	fetched(p, 30, batchAt(t, 20, 0, 10, 100))
	if p.state != Streaming || len(p.busy) != 1 {
		t.Fatalf("state %s and %d batches under way after the source was mended", p.state, len(p.busy))
	}
}

