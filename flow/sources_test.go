package flow_test

import (
	"context"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// awaitPair polls one pair of a node.
func awaitPair(ctx context.Context, t *testing.T, m *flow.Manager, at topology.Pair, what string, ok func(flow.PairStatus) bool) flow.PairStatus {
	t.Helper()
	return await(ctx, t, only{m, at}, what, ok)
}

// only is a node of which one pair is of interest.
type only struct {
	*flow.Manager
	pair topology.Pair
}

// Status has that pair alone.
func (o only) Status() flow.Status {
	s := o.Manager.Status()
	for _, p := range s.Pairs {
		if p.Source == o.pair.Source && p.Destination == o.pair.Destination {
			s.Pairs = []flow.PairStatus{p}
			return s
		}
	}
	s.Pairs = nil
	return s
}

// topicOf is what a pair makes of orders.
func topicOf(p flow.PairStatus) flow.TopicStatus {
	for _, t := range p.Topics {
		if t.Topic == "orders" {
			return t
		}
	}
	return flow.TopicStatus{}
}

// ordersOf counts the partitions of orders.
func ordersOf(p flow.PairStatus) (n int) {
	for _, x := range p.Partitions {
		if x.Topic == "orders" {
			n++
		}
	}
	return n
}

func sum(p flow.PairStatus) (out flow.Ruled) {
	for _, x := range p.Partitions {
		r := x.Stats.Ruled
		out.Own += r.Own
		out.OtherSource += r.OtherSource
		out.Stamped += r.Stamped
		out.CopiedHeader += r.CopiedHeader
	}
	return out
}

// What is left out and what is stamped is counted by its reason.
func TestRulingsAreCounted(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b"}, "between: [a, b], "+identity)
	w.run(t, 1)
	w.write(ctx, t, 0, 100)
	w.check(ctx, t, 100)
	ab, ba := topology.Pair{Source: "a", Destination: "b"}, topology.Pair{Source: "b", Destination: "a"}
	came := func(p flow.PairStatus) bool { return sum(p).Stamped == 100 && sum(p).Own == 100 }
	awaitPair(ctx, t, w.nodes["b"], ab, "a's records stamped, and b's at a left out", came)
	p := awaitPair(ctx, t, w.nodes["a"], ba, "b's records stamped, and a's at b left out", came)
	if got := sum(p); got.CopiedHeader != 0 || got.OtherSource != 0 {
		t.Errorf("%+v, of which nothing else was to be counted", got)
	}
	copied := &kgo.Record{Topic: "orders", Partition: 0, Key: []byte("copy"), Headers: headersOf(ctx, t, w)}
	if err := w.clients["b"].ProduceSync(ctx, copied).FirstErr(); err != nil {
		t.Fatal(err)
	}
	awaitPair(ctx, t, w.nodes["a"], ba, "a header that an application copied", func(p flow.PairStatus) bool {
		return sum(p).CopiedHeader == 1 && sum(p).Stamped == 101
	})
}

// headersOf are those of a record that came to b from a.
func headersOf(ctx context.Context, t *testing.T, w *world) []kgo.RecordHeader {
	t.Helper()
	cl := client(t, w.clusters["b"].ListenAddrs(), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for ctx.Err() == nil {
		for _, r := range cl.PollFetches(ctx).Records() {
			for _, h := range r.Headers {
				if h.Key == loop.HeaderKey && r.Partition == 1 {
					return r.Headers
				}
			}
		}
	}
	t.Fatal("no record has a header")
	return nil
}

// Lag is that of the log which is read, where that is not the origin's: it holds what others wrote, too.
func TestLagOverAHubIsThatOfTheLogThatIsRead(t *testing.T) {
	for _, naming := range []string{"identity", "prefix"} {
		t.Run(naming, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, `between: {hub: b, spokes: [a, c]}, topics: {include: ["orders"]}, naming: `+naming)
			w.run(t, 1)
			w.write(ctx, t, 0, 100)
			at := topology.Pair{Source: "a", Destination: "c"}
			p := awaitPair(ctx, t, w.nodes["c"], at, "all there", func(p flow.PairStatus) bool {
				total := int64(0)
				for _, x := range p.Partitions {
					if x.Topic == "orders" && x.Lag == 0 && x.Read == x.End {
						total += x.Next
					}
				}
				return total >= 100
			})
			for _, x := range p.Partitions {
				if x.Topic != "orders" {
					continue
				}
				if x.From != "b" || naming == "identity" && x.Read <= x.Next {
					t.Errorf("read at %s up to %d, of the origin's %d", x.From, x.Read, x.Next)
				}
			}
			if x := topicOf(p); x.From != "b" || x.Identity != (naming == "identity") {
				t.Errorf("topics: %+v", p.Topics)
			}
		})
	}
}

// switches hears of changes of source.
type switches struct {
	quiet
	mu  sync.Mutex
	got []string
}

func (s *switches) Switched(at topology.Pair, topic string, why loop.Reason) {
	if topic != "orders" {
		return // heartbeats of a cluster have sources, too
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, at.String()+" "+topic+": "+string(why))
}

// A cluster that can't be reached any more is not read any more, and that is told, once for each topic.
func TestAChangeOfSourceIsTold(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: [a, b, c], "+identity)
	heard := &switches{}
	w.nodes["c"] = managerWith(t, flow.Config{Node: "c-1", Observer: heard, Dialer: &kafka.Dialer{Datacenter: "c", ClientID: "meshd/c"}})
	w.run(t, 1)
	w.write(ctx, t, 0, 100)
	w.check(ctx, t, 100)
	at := topology.Pair{Source: "a", Destination: "c"}
	p := awaitPair(ctx, t, w.nodes["c"], at, "read at its origin", func(p flow.PairStatus) bool { return topicOf(p).From == "a" })
	if x := topicOf(p); x.Why != loop.Nearest || !x.Since.IsZero() {
		t.Errorf("before: %+v", x)
	}
	w.clusters["a"].Close()
	p = awaitPair(ctx, t, w.nodes["c"], at, "read at b", func(p flow.PairStatus) bool { return topicOf(p).From == "b" })
	if x := topicOf(p); x.Why != loop.Unreachable || x.Since.IsZero() {
		t.Errorf("after: %+v", x)
	}
	heard.mu.Lock()
	defer heard.mu.Unlock()
	if len(heard.got) != 1 || heard.got[0] != "a->c orders: "+string(loop.Unreachable) {
		t.Errorf("told %q", heard.got)
	}
}
