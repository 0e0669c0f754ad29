package trace

import (
	"encoding/binary"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/topology"
)

// dense is a batch of n records from an offset on.
func dense(t *testing.T, base int64, n int) batch.Batch {
	t.Helper()
	b := batch.NewBuilder()
	b.Reset(nil, batch.None, 1<<20)
	for range n {
		b.Append(batch.Record{Timestamp: 5, Body: []byte{1, 1, 0}}) // null key, null value, no headers
	}
	out, err := b.Finish(7, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint64(out, uint64(base))
	return out
}

// serving is a cluster whose topic orders has these batches, of which a fetch gets those that end at its offset or behind it.
func serving(t *testing.T, log ...batch.Batch) *kafka.Cluster {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	fake.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		req := kreq.(*kmsg.FetchRequest)
		p := kmsg.NewFetchResponseTopicPartition()
		for _, b := range log {
			if b.LastOffset() >= req.Topics[0].Partitions[0].FetchOffset {
				p.RecordBatches = append(p.RecordBatches, b...)
			}
		}
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic, topic.TopicID, topic.Partitions = req.Topics[0].Topic, req.Topics[0].TopicID, append(topic.Partitions, p)
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	c, err := new(kafka.Dialer).Dial(topology.Cluster{Alias: "us", Inside: topology.Endpoint{Bootstrap: fake.ListenAddrs()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestCompactedAway: nothing lies at an offset between two batches, or behind the last record of an answer.
func TestCompactedAway(t *testing.T) {
	c := serving(t, dense(t, 10, 5), dense(t, 30, 2))
	at, err := c.Locate(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	for offset, want := range map[int64]State{10: Record, 14: Record, 15: NoRecord, 29: NoRecord, 31: Record, 32: NoRecord} {
		x := &tracer{c: c, at: at["orders"][0]}
		x.report.Offset = offset
		if err := x.search(t.Context()); err != nil || x.report.State != want {
			t.Errorf("offset %d: %s, %v, want %s", offset, x.report.State, err, want)
		}
	}
}

// TestEveryRulingHasWords holds the words against package loop's reasons.
func TestEveryRulingHasWords(t *testing.T) {
	for why := range words {
		if why.String() == "unknown" || words[why] == "" {
			t.Errorf("reason %d has no words", why)
		}
	}
	if n := 0; true {
		for why := range words {
			n = max(n, int(why))
		}
		if n+1 != len(words) {
			t.Errorf("%d of %d reasons have words", len(words), n+1)
		}
	}
}
