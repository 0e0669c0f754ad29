package flow_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka/batch"
)

// damaged is a log of three batches of ten records, which is served as it is here, whatever the cluster has.
type damaged struct {
	mu      sync.Mutex
	batches [][]byte
	broken  bool   // the broker says so itself where the second batch is read
	whole   []byte // what the second batch is from the second answer on, unless nil
}

// serve answers fetches below offset 30 of a topic with one partition. What lies behind that the cluster answers itself.
func (d *damaged) serve(c *kfake.Cluster, topic string) {
	id := c.TopicInfo(topic).TopicID
	c.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := kreq.(*kmsg.FetchRequest)
		if len(req.Topics) != 1 || req.Topics[0].TopicID != id || req.Topics[0].Partitions[0].FetchOffset >= 30 {
			return nil, nil, false
		}
		return d.answer(req), nil, true
	})
}

func (d *damaged) answer(req *kmsg.FetchRequest) *kmsg.FetchResponse {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := req.Topics[0].Partitions[0].FetchOffset / 10
	p := kmsg.NewFetchResponseTopicPartition()
	p.HighWatermark, p.LastStableOffset, p.LogStartOffset, p.PreferredReadReplica = 30, 30, 0, -1
	p.DivergingEpoch.Epoch, p.DivergingEpoch.EndOffset = -1, -1
	p.RecordBatches = slices.Concat(d.batches[from:]...)
	if d.whole != nil {
		d.batches[1] = d.whole
	}
	if d.broken && from < 2 {
		p.RecordBatches = d.batches[from]
		if from == 1 {
			p.RecordBatches, p.ErrorCode = nil, 2 // CORRUPT_MESSAGE
		}
	}
	t := kmsg.NewFetchResponseTopic()
	t.Topic, t.TopicID = req.Topics[0].Topic, req.Topics[0].TopicID
	t.Partitions = append(t.Partitions, p)
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	resp.Topics = append(resp.Topics, t)
	return resp
}

// damages are what can be wrong with the second batch.
var damages = map[string]func(b []byte) []byte{
	"a flipped bit":             func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
	"an unknown format":         func(b []byte) []byte { b[16] = 9; return b },
	"an unknown codec":          func(b []byte) []byte { b[22] = 7; return sealed(b) },
	"a length below a header":   func(b []byte) []byte { return withLength(b, 3) },
	"a length that is short":    func(b []byte) []byte { return withLength(b, len(b)-12-5) },
	"a length that is long":     func(b []byte) []byte { return withLength(b, len(b)-12+5) },
	"a length beyond the log":   func(b []byte) []byte { return withLength(b, 1<<30) },
	"a negative length":         func(b []byte) []byte { return withLength(b, -1) },
	"more records than offsets": func(b []byte) []byte { return withCount(b, 11) },
	"fewer records than it has": func(b []byte) []byte { return withCount(b, 9) },
	"no end of records":         func(b []byte) []byte { return withCount(b, 1<<30) },
	"zeros":                     func(b []byte) []byte { return make([]byte, len(b)) },
	"half of it":                func(b []byte) []byte { return b[:len(b)/2] },
	"the broker says so":        func(b []byte) []byte { return b },
}

func withLength(b []byte, n int) []byte {
	binary.BigEndian.PutUint32(b[8:], uint32(n))
	return b
}

func withCount(b []byte, n uint32) []byte {
	binary.BigEndian.PutUint32(b[57:], n)
	return sealed(b)
}

// sealed gives a batch the CRC of what is in it.
func sealed(b []byte) []byte {
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// damagedSource is a cluster with a topic of which batch n is damaged, always or in the first answer alone.
func damagedSource(ctx context.Context, t *testing.T, damage string, n int, once bool) *kfake.Cluster {
	t.Helper()
	us := fake(t)
	src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	create(ctx, t, src, "orders", 1)
	d := &damaged{}
	for i := range 3 {
		produce(ctx, t, src, "orders", 1, 10*i, 10*i+10)
		d.batches = append(d.batches, oneBatch(t, 10*i, us.PartitionInfo("orders", 0).Epoch))
	}
	if once {
		d.whole = slices.Clone(d.batches[1])
	}
	d.batches[n], d.broken = damages[damage](d.batches[n]), damage == "the broker says so"
	d.serve(us, "orders")
	return us
}

// A batch that was damaged on its way is not left out: it is read once more.
func TestDamageOnTheWayIsNoGap(t *testing.T) {
	ctx := deadline(t)
	us, eu := damagedSource(ctx, t, "a flipped bit", 1, true), fake(t)
	top := pairOf(t, us.ListenAddrs(), eu.ListenAddrs())
	top.Links[0].Settings.OnGap = "continue"
	m := manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	if got := records(ctx, t, eu.ListenAddrs(), "us.orders", 30)[0]; got[10] != "10" || got[29] != "29" {
		t.Errorf("arrived: %s", got)
	}
	st := await(ctx, t, m, "the end", func(p flow.PairStatus) bool { return len(p.Partitions) == 1 && p.Partitions[0].Next == 30 })
	if p := st.Partitions[0]; p.Stats.Corrupt != 1 || p.Stats.Gaps != 0 || len(p.Warnings) != 0 {
		t.Errorf("counted: %+v, warned: %v", p.Stats, p.Warnings)
	}
}

func TestDamagedBatchStopsThePartition(t *testing.T) {
	for name := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			us := damagedSource(ctx, t, name, 1, false)
			eu := fake(t)
			m := manager(t, "eu")
			if err := m.Apply(pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), all("us", "eu", 1)); err != nil {
				t.Fatal(err)
			}
			records(ctx, t, eu.ListenAddrs(), "us.orders", 10)
			st := await(ctx, t, m, "the damage", func(p flow.PairStatus) bool { return reasonOf(p, "orders") == "corrupt_batch" })
			r := st.Partitions[0].Reason
			if !strings.Contains(r.Text, "offset 10 ") || !strings.Contains(r.Hint, "on_gap") {
				t.Errorf("no offset, or no next step: %s", r)
			}
			if n := st.Partitions[0].Stats.Corrupt; n != 1 {
				t.Errorf("%d batches are counted", n)
			}
			t.Log(r)
		})
	}
}

func TestDamagedBatchIsSteppedOverByPolicy(t *testing.T) {
	for name := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			us := damagedSource(ctx, t, name, 1, false)
			eu := fake(t)
			top := pairOf(t, us.ListenAddrs(), eu.ListenAddrs())
			top.Links[0].Settings.OnGap = "continue"
			m := manager(t, "eu")
			if err := m.Apply(top, all("us", "eu", 1)); err != nil {
				t.Fatal(err)
			}
			if got := records(ctx, t, eu.ListenAddrs(), "us.orders", 20)[0]; got[9] != "9" || got[10] != "20" {
				t.Errorf("arrived: %s", got)
			}
			st := await(ctx, t, m, "the end", func(p flow.PairStatus) bool { return len(p.Partitions) == 1 && p.Partitions[0].Next == 30 })
			p := st.Partitions[0]
			if p.Stats.Gaps != 1 || p.Stats.GapRecords != 10 || p.Stats.Corrupt != 1 {
				t.Errorf("counted: %+v", p.Stats)
			}
			if len(p.Warnings) != 1 || p.Warnings[0].Code != "corrupt_batch_skipped" || !strings.Contains(p.Warnings[0].Text, "offsets 10 to 19 ") {
				t.Errorf("warned: %v", p.Warnings)
			}
			m.Close()
			again := manager(t, "eu")
			if err := again.Apply(top, all("us", "eu", 2)); err != nil {
				t.Fatal(err)
			}
			produce(ctx, t, client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner())), "orders", 1, 30, 31)
			if got := records(ctx, t, eu.ListenAddrs(), "us.orders", 21)[0]; got[20] != "30" {
				t.Errorf("the next owner went on with %s", got[20:])
			}
			t.Log(p.Warnings)
		})
	}
}

// Behind the last batch is the end of the log: there the copy goes on.
func TestDamagedLastBatchIsSteppedOverByPolicy(t *testing.T) {
	ctx := deadline(t)
	us, eu := damagedSource(ctx, t, "an unknown format", 2, false), fake(t)
	top := pairOf(t, us.ListenAddrs(), eu.ListenAddrs())
	top.Links[0].Settings.OnGap = "continue"
	m := manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, m, "the end", func(p flow.PairStatus) bool {
		return len(p.Partitions) == 1 && p.Partitions[0].Next == 30 && p.Partitions[0].State == flow.Streaming
	})
	produce(ctx, t, client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner())), "orders", 1, 30, 31)
	if got := records(ctx, t, eu.ListenAddrs(), "us.orders", 21)[0]; got[19] != "19" || got[20] != "30" {
		t.Errorf("arrived: %s", got)
	}
}

// oneBatch is ten records with the keys from n on, as a broker has them at offset n.
func oneBatch(t *testing.T, n int, epoch int32) []byte {
	t.Helper()
	b := batch.NewBuilder()
	b.Reset(nil, batch.None, 1<<20)
	for i := range 10 {
		key := strconv.Itoa(n + i)
		body := append(binary.AppendVarint(nil, int64(len(key))), key...)
		b.Append(batch.Record{Timestamp: time.Now().UnixMilli(), Body: append(body, 2, 'v', 0)}) // a value of one byte, no headers
	}
	data, err := b.Finish(-1, -1, -1)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint64(data, uint64(n))
	binary.BigEndian.PutUint32(data[12:], uint32(epoch))
	return data
}
