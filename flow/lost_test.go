package flow_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// chain is a->b->c with identity naming, of which no node runs yet.
func chain(ctx context.Context, t *testing.T) *world {
	t.Helper()
	return joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: [a, b], "+identity, "between: [b, c], "+identity)
}

// arrived waits until a topic's partition 0 at a cluster has n records of one origin, and returns them.
func (w *world) arrived(ctx context.Context, t *testing.T, at, origin topology.Alias, n int) (out []*kgo.Record) {
	t.Helper()
	cl := client(t, w.clusters[at].ListenAddrs(), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for len(out) < n {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("at %s: %d of %d records of %s: %s", at, len(out), n, origin, w.reasons(at))
		}
		fs.EachRecord(func(r *kgo.Record) {
			if strings.HasPrefix(string(r.Key), string(origin)+"/") {
				out = append(out, r)
			}
		})
	}
	return out
}

// unregister takes a writer out of a cluster's registry.
func (w *world) unregister(ctx context.Context, t *testing.T, at, origin topology.Alias, shard int) (keys [][]byte, values [][]byte) {
	t.Helper()
	cl := client(t, w.clusters[at].ListenAddrs(), kgo.ConsumeTopics(checkpoint.WritersTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for len(keys) == 0 {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			var x checkpoint.Writer
			if json.Unmarshal(r.Value, &x) == nil && x.Origin == origin && x.Shard == shard {
				keys, values = append(keys, r.Key), append(values, r.Value)
			}
		})
		if ctx.Err() != nil {
			t.Fatal("the writer is not registered")
		}
	}
	for _, k := range keys {
		if err := w.clients[at].ProduceSync(ctx, &kgo.Record{Topic: checkpoint.WritersTopic, Key: k}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return keys, values
}

// reason waits until a partition at a cluster stops for a reason, and returns it.
func (w *world) reason(ctx context.Context, t *testing.T, at topology.Alias, number int32, code string) *kafka.Reason {
	t.Helper()
	for {
		for _, p := range w.nodes[at].Status().Pairs {
			for _, x := range p.Partitions {
				if x.Partition == number && x.Reason != nil && x.Reason.Code == code {
					return x.Reason
				}
			}
		}
		if kafka.Sleep(ctx, 20*time.Millisecond) != nil {
			t.Fatalf("nothing at %s stops for %s: %s", at, code, w.reasons(at))
		}
	}
}

// The registration of one writer at b is gone, and c never read it: what that writer wrote at b looks as if it was produced there, but for b's
// own map. The link stops, and nothing is looped; what other writers wrote, and applications, goes on.
func TestLostRegistration(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := chain(ctx, t)
	w.write(ctx, t, 0, 50)
	for _, a := range []topology.Alias{"a", "b"} {
		w.runAt(t, a, 1)
	}
	w.arrived(ctx, t, "b", "a", 50)
	w.unregister(ctx, t, "b", "a", topology.ShardOf("orders", 0))
	w.runAt(t, "c", 1)
	r := w.reason(ctx, t, "c", 0, kafka.RegistryLost)
	if !strings.Contains(r.Hint, "meshd registry rebuild") {
		t.Errorf("the hint does not say what to do: %s", r.Hint)
	}
	for _, r := range w.arrived(ctx, t, "c", "a", 25) { // of partition 1
		if r.Partition == 0 {
			t.Errorf("%s came to c, and nobody knows who wrote it at b", r.Key)
		}
	}
}

// An application at b copies what comes from a, with all headers, behind it in the same topic: once beside new records, and once when nothing
// comes any more. All of it goes to a and c.
func TestCopiedHeadersPass(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := chain(ctx, t)
	w.run(t, 1)
	w.write(ctx, t, 0, 50)
	for round := range 2 {
		for _, r := range w.arrived(ctx, t, "b", "a", 50) {
			made := &kgo.Record{Topic: "orders", Partition: r.Partition, Key: []byte("made/" + string(r.Key)), Value: r.Value, Headers: r.Headers}
			w.clients["b"].Produce(ctx, made, nil)
		}
		if err := w.clients["b"].Flush(ctx); err != nil {
			t.Fatal(err)
		}
		for _, at := range w.names {
			w.arrived(ctx, t, at, "made", 50*(round+1))
		}
	}
	id, err := loop.NewClusterID(w.id(ctx, t, "a"))
	if err != nil {
		t.Fatal(err)
	}
	ahead := loop.AppendHeader(nil, id, loop.TopicTag("orders"), 0, loop.Coordinate{Epoch: 1 << 20, Offset: 1 << 40}) // read where it came before it came to b
	r := &kgo.Record{Topic: "orders", Key: []byte("made/ahead"), Headers: []kgo.RecordHeader{{Key: loop.HeaderKey, Value: ahead}}}
	if err := w.clients["b"].ProduceSync(ctx, r).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for _, at := range w.names {
		w.arrived(ctx, t, at, "made", 101)
	}
}

// The maps that b keeps are behind the places that it notes, for longer than anybody tries: what an application copied there waits for them, which
// is said, and is not taken for a writer's whose registration is lost. When they are there, it goes on.
func TestSlowMapsLoseNoRegistry(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := chain(ctx, t)
	w.runAt(t, "b", 1)
	w.writeAt(ctx, t, "a", 0, 20)
	for _, r := range w.arrived(ctx, t, "b", "a", 20) {
		made := &kgo.Record{Topic: "orders", Partition: r.Partition, Key: []byte("made/" + string(r.Key)), Headers: r.Headers}
		w.clients["b"].Produce(ctx, made, nil)
	}
	if err := w.clients["b"].Flush(ctx); err != nil {
		t.Fatal(err)
	}
	w.writeAt(ctx, t, "a", 20, 40) // so that the noted places lie behind the copies
	w.arrived(ctx, t, "b", "a", 40)
	w.notedTo(ctx, t, "b", "a", 20)
	w.nodes["b"].Close()
	pages := w.takeMaps(ctx, t, "b", "a")
	w.runAt(t, "c", 1)
	r := w.reason(ctx, t, "c", 0, kafka.OriginUnknown)
	if !strings.Contains(r.Text, "a place up to offset ") || !strings.Contains(r.Text, "no map") || r.Hint == "" {
		t.Errorf("it does not say what it waits for: %+v", r)
	}
	for _, x := range pages {
		if err := w.clients["b"].ProduceSync(ctx, x).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	w.arrived(ctx, t, "c", "made", 20)
	w.awaits(ctx, t, "c", 2, streams)
}

// notedTo waits until a cluster has noted both partitions of an origin's topic up to a source offset.
func (w *world) notedTo(ctx context.Context, t *testing.T, at, origin topology.Alias, next offsetxlate.Source) {
	t.Helper()
	h := checkpoint.NewHoldings(w.dial(t, at), origin)
	for lowest := offsetxlate.Source(0); lowest < next; {
		if err := h.Refresh(ctx); err != nil && !checkpoint.IsNoTable(err) {
			t.Fatal(err)
		}
		p, _ := h.Progress("orders", 0)
		q, _ := h.Progress("orders", 1)
		lowest = min(p.Source, q.Source)
	}
}

// takeMaps deletes the maps that a cluster keeps of an origin, and returns them.
func (w *world) takeMaps(ctx context.Context, t *testing.T, at, origin topology.Alias) (pages []*kgo.Record) {
	t.Helper()
	c := w.dial(t, at)
	for n := range int32(topology.Shards) {
		table := checkpoint.Table{Cluster: c, Topic: checkpoint.OffsetsTopic(origin), Partition: n, Apply: func(r *kgo.Record) error {
			pages = append(pages, &kgo.Record{Topic: r.Topic, Partition: n, Key: r.Key, Value: r.Value})
			return nil
		}}
		if err := table.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range pages {
		if err := w.clients[at].ProduceSync(ctx, &kgo.Record{Topic: x.Topic, Partition: x.Partition, Key: x.Key}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return pages
}

func (w *world) id(ctx context.Context, t *testing.T, at topology.Alias) string {
	t.Helper()
	md, err := kadm.NewClient(w.clients[at]).BrokerMetadata(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return md.Cluster
}
