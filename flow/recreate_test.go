package flow_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/topology"
)

// again deletes the topic at a cluster and makes it anew.
func (w *world) again(ctx context.Context, t *testing.T, a topology.Alias) {
	t.Helper()
	if _, err := kadm.NewClient(w.clients[a]).DeleteTopics(ctx, "orders"); err != nil {
		t.Fatal(err)
	}
	create(ctx, t, w.clients[a], "orders", 2)
	w.clients[a] = client(t, w.clusters[a].ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner())) // the one before never takes it up
}

// accept says that the topic at a cluster is to be gone on with.
func (w *world) accept(ctx context.Context, t *testing.T, a topology.Alias) int32 {
	t.Helper()
	n, _, err := metasync.Accept(ctx, w.dial(t, a), "orders")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// holds waits until a topic at a cluster has exactly so many records of each series, each once and in its order, and none of a series that
// comes earlier in order behind one of a later.
func (w *world) holds(ctx context.Context, t *testing.T, a topology.Alias, topic string, order []string, want map[string]int) {
	t.Helper()
	total := 0
	for _, n := range want {
		total += n
	}
	cl := client(t, w.clusters[a].ListenAddrs(), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	got, seen := map[string]int{}, 0
	see := func(r *kgo.Record) {
		seen++
		series, number, _ := strings.Cut(string(r.Key), "/")
		key := fmt.Sprintf("%s/%d", series, r.Partition)
		if i, err := strconv.Atoi(number); err != nil || i != got[key]*2+int(r.Partition) {
			t.Errorf("at %s: %s came as the %d. of its partition", a, r.Key, got[key])
		}
		got[key]++
		for _, later := range order[slices.Index(order, series)+1:] {
			if later[0] == series[0] && got[fmt.Sprintf("%s/%d", later, r.Partition)] > 0 {
				t.Errorf("at %s: %s came behind a record of %s", a, r.Key, later)
			}
		}
	}
	for seen < total {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("at %s: %d of %d records arrived: %v; %s", a, seen, total, got, strings.Join(w.reasons(a), "\n"))
		}
		fs.EachRecord(see)
	}
	more, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	cl.PollFetches(more).EachRecord(see)
	cancel()
	for series, n := range want {
		if have := got[series+"/0"] + got[series+"/1"]; have != n {
			t.Errorf("at %s: %d records of %s, want %d: %v", a, have, series, n, got)
		}
	}
}

// says waits until a cluster's node gives a reason.
func (w *world) says(ctx context.Context, t *testing.T, a topology.Alias, code string) {
	t.Helper()
	for {
		s := w.nodes[a].Status()
		for _, p := range s.Pairs {
			for _, x := range p.Topics {
				if x.Reason != nil && x.Reason.Code == code {
					t.Logf("at %s: %v", a, x.Reason)
					return
				}
			}
			for _, x := range p.Partitions {
				if x.Reason != nil && x.Reason.Code == code {
					t.Logf("at %s: %v", a, x.Reason)
					return
				}
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("at %s: no %s: %v", a, code, w.reasons(a))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var serial = []string{"a", "a2", "a3", "b", "c"}

// A topic that was made again stops until a person accepts it; then all of the new one's records arrive once, and nothing of the old one behind them.
func TestTopicMadeAgainIsAccepted(t *testing.T) {
	for name, tc := range map[string]struct {
		links  []string
		others []topology.Alias // that have all records in the topic of this name
		topic  string
	}{
		"identity, mesh":    {[]string{"from: [a], to: [b, c], " + identity, "between: [b, c], " + identity}, []topology.Alias{"b", "c"}, "orders"},
		"identity, hub":     {[]string{"from: [a], to: [b], " + identity, "between: [b, c], " + identity}, []topology.Alias{"b", "c"}, "orders"},
		"prefix, mesh":      {[]string{`between: [a, b, c], topics: {include: ["orders"]}`}, []topology.Alias{"b", "c"}, "a.orders"},
		"prefix over a hub": {[]string{`between: {hub: b, spokes: [a, c]}, topics: {include: ["orders"]}`}, []topology.Alias{"b", "c"}, "a.orders"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, tc.links...)
			w.put(ctx, t, "a", "a", 0, 100)
			w.run(t, 1)
			for _, at := range tc.others {
				w.holds(ctx, t, at, tc.topic, serial, map[string]int{"a": 100})
			}
			w.again(ctx, t, "a")
			w.put(ctx, t, "a", "a2", 0, 60)
			w.says(ctx, t, "b", "source_recreated")
			w.holds(ctx, t, "b", tc.topic, serial, map[string]int{"a": 100})
			if n := w.accept(ctx, t, "a"); n != 1 {
				t.Errorf("accepted as incarnation %d", n)
			}
			if n := w.accept(ctx, t, "a"); n != 1 {
				t.Errorf("accepted twice it is incarnation %d", n)
			}
			for _, at := range tc.others {
				w.holds(ctx, t, at, tc.topic, serial, map[string]int{"a": 100, "a2": 60})
			}
			w.renew(t, w.names...) // it is so for who comes after, too
			w.put(ctx, t, "a", "a2", 60, 120)
			w.run(t, 2)
			for _, at := range tc.others {
				w.holds(ctx, t, at, tc.topic, serial, map[string]int{"a": 100, "a2": 120})
			}
			w.again(ctx, t, "a")
			w.put(ctx, t, "a", "a3", 0, 150)
			if n := w.accept(ctx, t, "a"); n != 2 {
				t.Errorf("accepted as incarnation %d", n)
			}
			for _, at := range tc.others {
				w.holds(ctx, t, at, tc.topic, serial, map[string]int{"a": 100, "a2": 120, "a3": 150})
			}
		})
	}
}

// Where every cluster writes, the topic that is made again is a destination too: it is filled anew with what the others have.
func TestSharedTopicMadeAgain(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: [a, b, c], "+identity)
	for _, a := range w.names {
		w.put(ctx, t, a, string(a), 0, 80)
	}
	w.run(t, 1)
	for _, a := range w.names {
		w.holds(ctx, t, a, "orders", serial, map[string]int{"a": 80, "b": 80, "c": 80})
	}
	w.again(ctx, t, "a")
	w.put(ctx, t, "a", "a2", 0, 40)
	w.put(ctx, t, "b", "b", 80, 100)
	w.says(ctx, t, "a", "destination_recreated")
	w.says(ctx, t, "c", "source_recreated")
	w.holds(ctx, t, "c", "orders", serial, map[string]int{"a": 80, "b": 100, "c": 80})
	w.accept(ctx, t, "a")
	w.holds(ctx, t, "a", "orders", serial, map[string]int{"a2": 40, "b": 100, "c": 80})
	for _, at := range []topology.Alias{"b", "c"} {
		w.holds(ctx, t, at, "orders", serial, map[string]int{"a": 80, "a2": 40, "b": 100, "c": 80})
	}
}

// With on_recreate: new_incarnation nobody needs to be asked, and a cluster that never read the old topic agrees with one that did.
func TestNewIncarnationWithoutAPerson(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	link := identity + ", on_recreate: new_incarnation"
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "from: [a], to: [b], "+link)
	w.put(ctx, t, "a", "a", 0, 100)
	w.run(t, 1)
	w.holds(ctx, t, "b", "orders", serial, map[string]int{"a": 100})
	for i, series := range []string{"a2", "a3"} {
		w.again(ctx, t, "a")
		w.put(ctx, t, "a", series, 0, 50)
		w.holds(ctx, t, "b", "orders", serial, map[string]int{"a": 100, "a2": 50, "a3": 50 * i})
	}
	w.relink(t, "from: [a], to: [b, c], "+link, "between: [b, c], "+link)
	w.run(t, 2)
	w.put(ctx, t, "a", "a3", 50, 80)
	w.holds(ctx, t, "b", "orders", serial, map[string]int{"a": 100, "a2": 50, "a3": 80})
	w.holds(ctx, t, "c", "orders", serial, map[string]int{"a3": 80}) // what was before it is gone at its origin
	w.relink(t, "from: [a], to: [b], "+link, "from: [b], to: [c], "+link)
	w.run(t, 3)
	w.put(ctx, t, "a", "a3", 80, 120)
	w.holds(ctx, t, "c", "orders", serial, map[string]int{"a3": 120})
}

// Of a topic that was copied before anybody registered it, that one is the first, though another is there by now.
func TestWhatWasCopiedIsRegistered(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b"}, "from: [a], to: [b], "+identity)
	w.put(ctx, t, "a", "a", 0, 100)
	w.run(t, 1)
	w.holds(ctx, t, "b", "orders", serial, map[string]int{"a": 100})
	w.nodes["b"].Close()
	if _, err := kadm.NewClient(w.clients["a"]).DeleteTopics(ctx, checkpoint.TopicsTopic); err != nil {
		t.Fatal(err)
	}
	forget(ctx, t, w, "b", "!seen/a")
	w.again(ctx, t, "a")
	w.put(ctx, t, "a", "a2", 0, 40)
	w.nodes["b"] = manager(t, "b")
	w.run(t, 2)
	w.says(ctx, t, "b", "source_recreated")
	if n := w.accept(ctx, t, "a"); n != 1 {
		t.Errorf("accepted as incarnation %d", n)
	}
	w.holds(ctx, t, "b", "orders", serial, map[string]int{"a": 100, "a2": 40})
}

// forget writes an empty note over one in a cluster's registry.
func forget(ctx context.Context, t *testing.T, w *world, a topology.Alias, key string) {
	t.Helper()
	if err := w.clients[a].ProduceSync(ctx, &kgo.Record{Topic: checkpoint.TopicsTopic, Key: []byte(key)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// Without the right to register a topic at its origin it is known by the id that was read before, and whoever has the right accepts it.
func TestTopicsThatMayNotBeRegistered(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b"}, "from: [a], to: [b], "+identity)
	var allowed atomic.Bool
	w.clusters["a"].ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.clusters["a"].KeepControl()
		create := req.(*kmsg.CreateTopicsRequest)
		if allowed.Load() || create.Topics[0].Topic != checkpoint.TopicsTopic {
			return nil, nil, false
		}
		resp := create.ResponseKind().(*kmsg.CreateTopicsResponse)
		no := kmsg.NewCreateTopicsResponseTopic()
		no.Topic, no.ErrorCode = checkpoint.TopicsTopic, kerr.TopicAuthorizationFailed.Code
		resp.Topics = append(resp.Topics, no)
		return resp, nil, true
	})
	w.put(ctx, t, "a", "a", 0, 60)
	w.run(t, 1)
	w.holds(ctx, t, "b", "orders", serial, map[string]int{"a": 60})
	w.again(ctx, t, "a")
	w.put(ctx, t, "a", "a2", 0, 40)
	w.says(ctx, t, "b", "source_recreated")
	allowed.Store(true)
	if n := w.accept(ctx, t, "a"); n != 1 {
		t.Errorf("accepted as incarnation %d", n)
	}
	w.holds(ctx, t, "b", "orders", serial, map[string]int{"a": 60, "a2": 40})
}

// Records of the old topic are told from those of the new one at the same offset.
func TestStoryOfATopicMadeAgain(t *testing.T) {
	for topic, naming := range map[string]string{"orders": "identity", "a.orders": "prefix"} {
		t.Run(naming, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, `from: [a], to: [b, c], on_recreate: new_incarnation, topics: {include: ["orders"]}, naming: `+naming)
			w.put(ctx, t, "a", "a", 0, 40)
			w.run(t, 1)
			for _, at := range []topology.Alias{"b", "c"} {
				w.holds(ctx, t, at, topic, serial, map[string]int{"a": 40})
			}
			w.again(ctx, t, "a")
			w.put(ctx, t, "a", "a2", 0, 40)
			for _, at := range []topology.Alias{"b", "c"} {
				w.holds(ctx, t, at, topic, serial, map[string]int{"a": 40, "a2": 40})
				w.nodes[at].Close() // what it knows is noted
			}
			for n, key := range []string{"a/20", "a2/20"} {
				r := w.story(ctx, t, "b", topic, 0, w.offsetOf(ctx, t, "b", topic, key))
				if r.Origin == nil || r.Origin.Incarnation != int32(n) || r.Origin.Offset != 10 {
					t.Errorf("%s comes from %+v", key, r.Origin)
				}
				for _, x := range r.Copies {
					if want := w.offsetOf(ctx, t, "c", topic, key); x.Cluster == "c" && (x.State != "here" || x.Offset != want) {
						t.Errorf("%s at c: %s at %d, want %d", key, x.State, x.Offset, want)
					}
				}
			}
		})
	}
}
