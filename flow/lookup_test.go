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

// hubWorld is a hub of which notes of orders/0 from origin a are to be read.
type hubWorld struct {
	ctx context.Context //nolint:containedctx // of one test
	cl  *kgo.Client
	c   *kafka.Cluster
}

func newHub(t *testing.T) hubWorld {
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
	for topic, n := range map[string]int32{checkpoint.OffsetsTopic("a"): topology.Shards, checkpoint.ProgressTopic("a"): topology.Shards, "orders": 1} {
		if _, err := kadm.NewClient(cl).CreateTopics(ctx, n, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
	}
	at := topology.Endpoint{Bootstrap: fake.ListenAddrs()}
	c, err := (&kafka.Dialer{ClientID: "test"}).Dial(topology.Cluster{Alias: "h", Inside: at, Outside: at})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return hubWorld{ctx, cl, c}
}

func (h hubWorld) put(t *testing.T, r *kgo.Record) {
	t.Helper()
	if err := h.cl.ProduceSync(h.ctx, r).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// note stores what the hub's writer notes.
func (h hubWorld) note(t *testing.T, m *offsetxlate.Map, prog checkpoint.Progress) {
	t.Helper()
	shard, key := int32(topology.ShardOf("orders", 0)), checkpoint.PartitionKey("orders", 0)
	pages, _ := m.EncodeSince(0)
	for _, p := range pages {
		h.put(t, &kgo.Record{Topic: checkpoint.OffsetsTopic("a"), Partition: shard, Key: []byte(checkpoint.PageKey(checkpoint.MapKey(key, 0), p.Start)), Value: p.Data})
	}
	h.put(t, &kgo.Record{Topic: checkpoint.ProgressTopic("a"), Partition: shard, Key: []byte(key), Value: prog.Encode()})
}

// copied writes records of origin a in one leader epoch, each in a batch of its own.
func (h hubWorld) copied(t *testing.T, id loop.ClusterID, epoch int32, from, to int64) {
	t.Helper()
	for x := from; x < to; x++ {
		stamp := loop.AppendHeader(nil, id, loop.TopicTag("orders"), 0, loop.Coordinate{Epoch: epoch, Offset: x})
		h.put(t, &kgo.Record{Topic: "orders", Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: loop.HeaderKey, Value: stamp}}})
	}
}

// reader is a part that has to be found a place at the hub, and all that it needs for that.
func (h hubWorld) reader(t *testing.T, id loop.ClusterID, next loop.Coordinate) *part {
	t.Helper()
	dir := kafka.NewDirectory(h.c, time.Hour)
	if err := dir.Refresh(h.ctx); err != nil {
		t.Fatal(err)
	}
	at, _ := dir.Get("orders", 0)
	site := &Site{Alias: "h", Control: h.c, Dir: dir, registered: newRegistered(h.c)}
	pid, _, err := h.cl.ProducerID(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	site.registered.known[pid] = checkpoint.Writer{OriginID: "a"}
	p := loose(&mute{})
	p.Spec = Spec{Origin: "a", Source: "h", Topic: "orders", At: "orders", SourceID: at.TopicID, Identity: true, OriginID: id, src: &Source{Site: site}, held: &holdings{view: checkpoint.NewHoldings(h.c, "a")}}
	p.moveTo(srcPlace{offsetxlate.Source(next.Offset), next.Epoch}, 0, 0)
	p.at, p.state = nowhere, Backoff
	return p
}

// The origin lost what it had from offset 60 on, of leader epoch 4, and others came to lie there in epoch 5. Hub h has both. Who comes to
// it from another source with what is below 80 of epoch 4 lacks all of epoch 5, and of epoch 4 what the hub has from 80 on.
func TestAPlaceBehindWhatTheOriginTookBack(t *testing.T) {
	id, err := loop.NewClusterID("a")
	if err != nil {
		t.Fatal(err)
	}
	h := newHub(t)
	h.copied(t, id, 4, 0, 100)
	h.copied(t, id, 5, 60, 120)
	m := offsetxlate.New(offsetxlate.Point{})
	if err := m.Append(0, 0, 100); err != nil || !m.TruncateSource(60) {
		t.Fatal("nothing was forgotten", err)
	}
	if err := m.Append(60, 100, 60); err != nil {
		t.Fatal(err)
	}
	for next, want := range map[loop.Coordinate][2]offsetxlate.Source{
		{Epoch: 4, Offset: 80}:  {1, 80},    // what lies at 80 has to come
		{Epoch: 5, Offset: 80}:  {120, 120}, // as the map says
		{Epoch: 4, Offset: 30}:  {29, 30},
		{Epoch: 5, Offset: 120}: {160, 160},
	} {
		p := h.reader(t, id, next)
		pid, _, _ := h.cl.ProducerID(h.ctx)
		h.note(t, m, checkpoint.Progress{DstID: p.SourceID, Owner: kafka.ProducerID{ID: pid}, Source: 120, SourceEpoch: 5, Dest: 160})
		(&life{}).findAtHub(h.ctx, p, 0)
		if p.at < want[0] || p.at > want[1] {
			t.Errorf("behind %s it reads on at %d (%s), not in %v", next, p.at, p.reason, want)
		}
	}
}

// A part that begins at the end of a log says of which leader that was: where the log is cut off before it is read for the first time, what comes to lie
// below that end is not passed over.
func TestBeginningSaysOfWhichLeaderItIs(t *testing.T) {
	id, err := loop.NewClusterID("a")
	if err != nil {
		t.Fatal(err)
	}
	h := newHub(t)
	h.copied(t, id, 4, 0, 10)
	p := h.reader(t, id, loop.Start)
	p.Origin, p.From, p.Start.Latest = "h", -1, true
	if err := (&life{}).beginPart(h.ctx, p, &fenced{marker: 0}); err != nil {
		t.Fatal(err)
	}
	if p.at != 10 || p.lastEpoch < 0 {
		t.Fatalf("it begins at %d behind leader epoch %d", p.at, p.lastEpoch)
	}
}
