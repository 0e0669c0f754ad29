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
	at6 := checkpoint.Progress{Source: 35, SourceEpoch: 6, Dest: 140, DestEpoch: 3}
	noted := checkpoint.Progress{Source: 25, SourceEpoch: 5, Dest: 130, DestEpoch: 3, Ahead: []checkpoint.Run{{Source: 25, Epoch: 6}}}
	anew := checkpoint.Progress{Incarnation: 1, SourceEpoch: -1, Dest: 140, DestEpoch: 3}
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
			p := loose(&looking{})
			p.Identity, p.Origin, p.Source, p.Topic, p.held = true, "a", "b", "t", h
			p.prog.Source, p.prog.SourceEpoch = offsetxlate.Source(c.next.Offset), c.next.Epoch
			p.at, p.state = nowhere, Backoff
			if l.findAtHub(t.Context(), p, 100); p.at != c.want {
				t.Fatalf("it reads on at %d (%s), want %d", p.at, p.reason, c.want)
			}
			if p.state = CatchingUp; p.lastEpoch != c.prog.DestEpoch { // the hub may have lost what its map speaks of
				t.Fatalf("it reads behind epoch %d of the hub's log, want %d", p.lastEpoch, c.prog.DestEpoch)
			}
			if p.tookBack(srcPlace{90, 2}, "it parted"); p.at != nowhere {
				t.Fatalf("it reads on at %d of a log of which it knows nothing", p.at)
			}
		})
	}
}

// A writer resumed behind what retention had taken of its predecessor's batches before these were in the map. Whoever lacks them sees that they
// are gone: they lie before what the log still holds.
func TestWhatRetentionTookIsInTheMap(t *testing.T) {
	m := offsetxlate.New(offsetxlate.Point{Dst: 5})
	if err := m.Append(2, 5, 1); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		tail []checkpoint.Batch
		next offsetxlate.Source
	}{
		"all of it":           {nil, 8},
		"not all":             {[]checkpoint.Batch{{Base: 11, Count: 1, Sequence: 4}}, 9},
		"and compaction some": {[]checkpoint.Batch{{Base: 24, Count: 1, Sequence: 16}}, 21},
	} {
		t.Run(name, func(t *testing.T) {
			l := &life{shard: newShard(topology.Shard{}, told{}, &env{}, nil, slog.New(slog.DiscardHandler)), id: kafka.ProducerID{ID: 7, Epoch: 1}, stored: stored{pages: checkpoint.Pages{}}}
			p := loose(&mute{})
			l.stored.pages.Put(p.Key(), m)
			prog := checkpoint.Progress{Owner: kafka.ProducerID{ID: 7}, Written: 1, Source: 3, Dest: 6, Ahead: []checkpoint.Run{{Written: 3, Source: 7, Epoch: 0}}}
			if err := l.goOnPart(p, &opening{prog: prog, fence: &fenced{start: 10, end: 25, marker: 25, tail: c.tail}, count: 4}); err != nil {
				t.Fatal(err)
			}
			if p.at != c.next {
				t.Fatalf("it goes on at %d, want %d", p.at, c.next)
			}
			for x, gone := range map[offsetxlate.Source]bool{2: true, 3: true, 4: true, 7: true, 20: false} {
				if at := p.xlate.ToDest(x).Offset; at < 10 != gone {
					t.Errorf("offset %d is found at %d", x, at)
				}
			}
		})
	}
}

// looking is an owner that is asked for a place.
type looking struct{ mute }

func (*looking) outOfRange(*part) {}

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
