package flow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint/trace"
	"github.com/meshd/meshd/topology"
)

// story asks for a record.
func (w *world) story(ctx context.Context, t *testing.T, at topology.Alias, topic string, partition int32, offset int64) trace.Report {
	t.Helper()
	r, err := trace.Run(ctx, trace.Config{Topology: w.top, Cluster: at, Topic: topic, Partition: partition, Offset: offset, Dial: w.dialer(at)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tell writes a story in a few words.
func tell(r trace.Report) string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	add("%s", r.State)
	if o := r.Origin; o != nil {
		add("origin %s %s/%d", o.Cluster, o.Topic, o.Partition)
	}
	if w := r.Writer; w != nil && w.Registered {
		add("writer of %s by %s", w.Origin, w.Node)
	} else if w != nil {
		add("application")
	}
	for _, c := range r.Copies {
		add("%s %s %s over %s", c.Cluster, c.Topic, c.State, c.Over)
	}
	for _, x := range r.Rules {
		add("%s: %s %s (%s)", x.Link, x.Act, x.Why, x.Now)
	}
	return strings.Join(out, "; ")
}

func expect(t *testing.T, what string, r trace.Report, want string) {
	t.Helper()
	if got := tell(r); got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// offsetOf is where a record with a key lies at a cluster, in partition 0.
func (w *world) offsetOf(ctx context.Context, t *testing.T, at topology.Alias, topic, key string) int64 {
	t.Helper()
	cl := client(t, w.clusters[at].ListenAddrs(), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for {
		found := int64(-1)
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			if string(r.Key) == key && r.Partition == 0 {
				found = r.Offset
			}
		})
		switch {
		case found >= 0:
			return found
		case ctx.Err() != nil:
			t.Fatalf("%s has no record with key %s", at, key)
		}
	}
}

func TestStories(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := chain(ctx, t)
	w.run(t, 1)
	w.write(ctx, t, 0, 20)
	w.check(ctx, t, 20)
	copied := w.arrived(ctx, t, "b", "a", 20)[0]
	made := &kgo.Record{Topic: "orders", Key: []byte("made/1"), Headers: copied.Headers}
	if err := w.clients["b"].ProduceSync(ctx, made).FirstErr(); err != nil {
		t.Fatal(err)
	}
	w.arrived(ctx, t, "c", "made", 1)
	tx := client(t, w.clusters["a"].ListenAddrs(), kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := tx.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	gone := &kgo.Record{Topic: "orders", Key: []byte("gone/1")}
	if err := tx.ProduceSync(ctx, gone).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := tx.EndTransaction(ctx, kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	w.settled(ctx, t)
	at := func(a topology.Alias, key string) int64 { return w.offsetOf(ctx, t, a, "orders", key) }
	for _, c := range []struct {
		what   string
		at     topology.Alias
		offset int64
		want   string
	}{
		{"produced here", "a", at("a", "a/4"), "record; origin a orders/0; application; b orders here over a; c orders here over b; a->b: stamp local (suppress seen)"},
		{"carried", "b", at("b", "a/4"), "record; origin a orders/0; writer of a by b-1; a orders home over ; b orders here over a; c orders here over b; " +
			"b->a: suppress own (); b->c: deliver carried (suppress seen)"},
		{"carried over a hub, and home is two hops away", "c", at("c", "a/4"), "record; origin a orders/0; writer of a by c-1; a orders home over ; b orders here over a; " +
			"c orders here over b; c->b: deliver carried (suppress other_source)"},
		{"an application's copy", "b", at("b", "made/1"), "record; origin b orders/0; application; a orders here over b; c orders here over b; " +
			"b->a: stamp copied_header (suppress seen); b->c: stamp copied_header (suppress seen)"},
		{"aborted", "a", gone.Offset, "aborted; origin a orders/0; application; a->b: suppress aborted ()"},
		{"a marker", "a", gone.Offset + 1, "marker; application; a->b: suppress marker ()"},
		{"past the end", "a", 1 << 40, "ahead"},
	} {
		expect(t, c.what, w.story(ctx, t, c.at, "orders", 0, c.offset), c.want)
	}
}

// settled waits until what is noted at each cluster has all that is there: writers note where they are now and then.
func (w *world) settled(ctx context.Context, t *testing.T) {
	t.Helper()
	for {
		ready := true
		for _, a := range w.names {
			for _, key := range []string{"a/18", "b/18", "c/18"} {
				r := w.story(ctx, t, a, "orders", 0, w.offsetOf(ctx, t, a, "orders", key))
				ready = ready && !strings.Contains(tell(r), "not_yet") && !strings.Contains(tell(r), "nothing")
			}
		}
		if ready {
			return
		}
	}
}

func TestStoriesOfPrefixes(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	prefix := `topics: {include: ["orders"]}`
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: {hub: b, spokes: [a, c]}, "+prefix)
	w.run(t, 1)
	w.write(ctx, t, 0, 20)
	inOrder(ctx, t, w, "c", "a", 20)
	if err := w.clients["b"].ProduceSync(ctx, &kgo.Record{Topic: "a.orders", Key: []byte("made/1")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	w.write(ctx, t, 20, 30) // what an application wrote into a copy stays there, and holds up nothing
	inOrder(ctx, t, w, "c", "a", 30)
	for _, c := range []struct {
		what  string
		at    topology.Alias
		topic string
		key   string
		want  string
	}{
		{"produced here", "a", "orders", "a/4", "record; origin a orders/0; application; b a.orders here over a; c a.orders here over b; a->b: deliver local ()"},
		{"a copy at the hub", "b", "a.orders", "a/4", "record; origin a orders/0; writer of a by b-1; a orders home over ; b a.orders here over a; c a.orders here over b; " +
			"b->a: suppress own (); b->c: deliver carried ()"},
		{"a copy over the hub", "c", "a.orders", "a/4", "record; origin a orders/0; writer of a by c-1; a orders home over ; b a.orders here over a; c a.orders here over b; c->b: deliver carried ()"},
		{"an application's, in a copy", "b", "a.orders", "made/1", "record; origin b a.orders/0; application; b->a: suppress own (); b->c: suppress by_application ()"},
	} {
		var got string
		for got != c.want && ctx.Err() == nil { // writers note where they are now and then
			got = tell(w.story(ctx, t, c.at, c.topic, 0, w.offsetOf(ctx, t, c.at, c.topic, c.key)))
			if !strings.Contains(got, "not_yet") && !strings.Contains(got, "nothing") && !strings.Contains(got, "passed") {
				break
			}
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.what, got, c.want)
		}
	}
}
