package flow

import (
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// A hub copied records 0 to 29 of leader epoch 5, of which the origin then lost those from 25 on, and what it wrote there in epoch 6. The
// hub's map knows the later ones alone. Who still lacks some of epoch 5 must begin before all that are new, whatever their offsets.
func TestFindsItsPlaceAtAHubWhoseSourceParted(t *testing.T) {
	hub := offsetxlate.New(offsetxlate.Point{Dst: 100})
	for _, err := range []error{hub.Append(0, 100, 30), truncated(hub, 25), hub.Append(25, 130, 10)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	at6 := checkpoint.Progress{Source: 35, SourceEpoch: 6, Dest: 140}
	noted := checkpoint.Progress{Source: 25, SourceEpoch: 5, Dest: 130, Ahead: []checkpoint.Run{{Source: 25, Epoch: 6}}}
	anew := checkpoint.Progress{Incarnation: 1, SourceEpoch: -1, Dest: 140}
	for name, c := range map[string]struct {
		prog checkpoint.Progress
		next loop.Coordinate
		want offsetxlate.Source
	}{
		"it lags in the epoch before":             {at6, loop.Coordinate{Epoch: 5, Offset: 28}, 100},
		"and the place there is of that one, too": {noted, loop.Coordinate{Epoch: 5, Offset: 28}, 100},
		"and the topic was made again":            {anew, loop.Coordinate{Epoch: 5, Offset: 28}, 100},
		"it has some of the same epoch":           {at6, loop.Coordinate{Epoch: 6, Offset: 28}, 133},
		"it is beyond the hub":                    {at6, loop.Coordinate{Epoch: 7, Offset: 28}, 133},
		"it begins in the middle":                 {at6, loop.Coordinate{Epoch: -1, Offset: 28}, 133},
	} {
		t.Run(name, func(t *testing.T) {
			h := holdingsOf(t, "a", "t/0", c.prog, hub)
			l := &life{shard: newShard(topology.Shard{Origin: "a", Destination: "c", Number: topology.ShardOf("t", 0)}, told{}, &env{}, nil, slog.New(slog.DiscardHandler))}
			p := loose(&mute{})
			p.Identity, p.Origin, p.Source, p.Topic, p.held = true, "a", "b", "t", h
			p.prog.Source, p.prog.SourceEpoch = offsetxlate.Source(c.next.Offset), c.next.Epoch
			p.at, p.state = nowhere, Backoff
			if l.findAtHub(t.Context(), p, 100); p.at != c.want {
				t.Fatalf("it reads on at %d (%s), want %d", p.at, p.reason, c.want)
			}
		})
	}
}

func truncated(m *offsetxlate.Map, at offsetxlate.Source) error {
	if !m.TruncateSource(at) {
		return forgetting(at)
	}
	return nil
}

// holdingsOf is what a cluster has of one partition of an origin.
func holdingsOf(t *testing.T, origin topology.Alias, key string, prog checkpoint.Progress, m *offsetxlate.Map) *holdings {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(topology.Shards, checkpoint.ProgressTopic(origin), checkpoint.OffsetsTopic(origin)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	cluster, err := new(kafka.Dialer).Dial(topology.Cluster{Alias: "b", RequestTimeout: 5 * time.Second, Inside: topology.Endpoint{Bootstrap: c.ListenAddrs()}}, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	topic, n, err := checkpoint.SplitKey(key)
	if err != nil {
		t.Fatal(err)
	}
	shard := int32(topology.ShardOf(topic, n))
	put := func(to, key string, value []byte) {
		if err := cluster.Client.ProduceSync(t.Context(), &kgo.Record{Topic: to, Partition: shard, Key: []byte(key), Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	pages, _ := m.EncodeSince(0)
	for _, page := range pages {
		put(checkpoint.OffsetsTopic(origin), checkpoint.PageKey(key, page.Start), page.Data)
	}
	put(checkpoint.ProgressTopic(origin), key, prog.Encode())
	return &holdings{view: checkpoint.NewHoldings(cluster, origin)}
}
