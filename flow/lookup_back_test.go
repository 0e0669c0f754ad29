package flow

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// mapsOf is what a reader has of the maps of orders/0 that a cluster stored of origin a.
func mapsOf(t *testing.T, m *offsetxlate.Map) *checkpoint.Maps {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	topic := checkpoint.OffsetsTopic("a")
	if _, err := kadm.NewClient(cl).CreateTopics(ctx, topology.Shards, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	pages, _ := m.EncodeSince(0)
	for _, p := range pages {
		key := checkpoint.PageKey(checkpoint.MapKey(checkpoint.PartitionKey("orders", 0), 0), p.Start)
		r := &kgo.Record{Topic: topic, Partition: int32(topology.ShardOf("orders", 0)), Key: []byte(key), Value: p.Data}
		if err := cl.ProduceSync(ctx, r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	c, err := (&kafka.Dialer{ClientID: "test"}).Dial(topology.Cluster{Alias: "h", Inside: topology.Endpoint{Bootstrap: fake.ListenAddrs()}, Outside: topology.Endpoint{Bootstrap: fake.ListenAddrs()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	out := checkpoint.NewMaps(c, "a")
	if err := out.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	return out
}

// The origin lost what it had from offset 60 on, of leader epoch 4, and others came to lie there in epoch 5. Hub h has both. Who comes to
// it from another source with what is below 80 of epoch 4 lacks all of epoch 5, and of epoch 4 what the hub has from 80 on.
func TestLookUpBehindWhatTheOriginTookBack(t *testing.T) {
	m := offsetxlate.New(offsetxlate.Point{})
	if err := m.Append(0, 0, 100); err != nil {
		t.Fatal(err)
	}
	if !m.TruncateSource(60) {
		t.Fatal("nothing was forgotten")
	}
	if err := m.Append(60, 101, 60); err != nil { // [60, 120) of epoch 5
		t.Fatal(err)
	}
	at, first, err := lookUp(mapsOf(t, m), "orders", 0, loop.Coordinate{Epoch: 4, Offset: 80}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if at > 80 {
		t.Errorf("it reads on at %d (first %s): offsets 60 to 79 of epoch 5 lie at 101 to 120, and those of epoch 4 from 80 on at 80", at, first)
	}
}
