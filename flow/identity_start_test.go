package flow_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// awaits returns when all partitions of n origins at a cluster meet a condition.
func (w *world) awaits(ctx context.Context, t *testing.T, a topology.Alias, n int, ok func(flow.PartStatus) bool) {
	t.Helper()
	for have := -1; have != n; <-time.After(20 * time.Millisecond) {
		if have = 0; ctx.Err() != nil {
			t.Fatalf("at %s: %v", a, w.reasons(a))
		}
		for _, p := range w.nodes[a].Status().Pairs {
			ps := slices.DeleteFunc(slices.Clone(p.Partitions), func(x flow.PartStatus) bool { return x.Topic != "orders" })
			if len(ps) == 2 && !slices.ContainsFunc(ps, func(x flow.PartStatus) bool { return !ok(x) }) {
				have++
			}
		}
	}
}

func streams(x flow.PartStatus) bool { return x.State == flow.Streaming }

// saves returns when all that stands has been saved: what is the latest over a hub is so as of its last save.
func (w *world) saves(ctx context.Context) {
	select {
	case <-time.After(3 * w.top.Intervals.Progress):
	case <-ctx.Done():
	}
}

// origins counts the records of a topic at a cluster by where they were produced, until there are n, and names the first of each.
func (w *world) origins(ctx context.Context, t *testing.T, a topology.Alias, n int) (count map[string]int, first map[string]string) {
	t.Helper()
	count, first = map[string]int{}, map[string]string{}
	cl := client(t, w.clusters[a].ListenAddrs(), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for total := 0; total < n; {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("at %s: %d of %d records arrived: %v; %v", a, total, n, count, w.reasons(a))
		}
		fs.EachRecord(func(r *kgo.Record) {
			total++
			origin, number, _ := strings.Cut(string(r.Key), "/")
			if count[origin]++; count[origin] == 1 {
				first[origin] = number
			}
		})
	}
	return count, first
}

// What a flow began behind is a gap of that cluster alone: who begins later and reads from it takes what there is, and who lacks some of it
// asks others first.
func TestStartIsAGapOfOneCluster(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	link := func(ends, start string) string { return ends + ", " + identity + ", start: " + start }
	earlier := []string{link("from: [a], to: [b]", "earliest")}
	w := joined(ctx, t, []topology.Alias{"a", "b", "c", "d"}, earlier...)
	w.write(ctx, t, 0, 100)
	w.runAt(t, "b", 1)
	w.origins(ctx, t, "b", 200)
	w.saves(ctx)
	w.relink(t, append(earlier, link("from: [b], to: [c]", "latest"))...)
	w.runAt(t, "b", 2)
	w.runAt(t, "c", 2)
	w.awaits(ctx, t, "c", 2, streams)
	w.write(ctx, t, 100, 200)
	if n, first := w.origins(ctx, t, "c", 200+100+100); n["a"] != 100 || n["b"] != 100 || first["a"] != "100" && first["a"] != "101" {
		t.Errorf("c began at the latest, and has %v from %v on", n, first)
	}
	w.relink(t, append(earlier, link("from: [b], to: [c]", "latest"), link("from: [c], to: [d]", "earliest"))...)
	for _, a := range []topology.Alias{"b", "c", "d"} {
		w.runAt(t, a, 3)
	}
	if n, _ := w.origins(ctx, t, "d", 200+100+100+200); n["a"] != 100 || n["b"] != 100 || n["c"] != 200 {
		t.Errorf("d has what c has, and has %v", n)
	}
}

// A cluster that changes its source to one that lacks what comes next says so, and takes it from another that has it.
func TestWhatOneSourceLacksIsAskedOfOthers(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	direct, gap, over := "from: [a], to: [c], "+identity, "from: [a], to: [b], "+identity+", start: latest", "from: [b], to: [c], "+identity
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, direct)
	w.write(ctx, t, 0, 100)
	w.runAt(t, "c", 1)
	w.origins(ctx, t, "c", 200)
	w.renew(t, "c")
	w.write(ctx, t, 100, 200)
	w.relink(t, gap, over)
	w.runAt(t, "b", 1)
	w.awaits(ctx, t, "b", 1, streams)
	w.write(ctx, t, 200, 300)
	w.runAt(t, "c", 2)
	w.awaits(ctx, t, "c", 1, func(x flow.PartStatus) bool { return x.Reason != nil && x.Reason.Code == kafka.RetentionGap })
	if n, _ := w.origins(ctx, t, "c", 300+100+300); n["a"] != 100 {
		t.Errorf("c passed what it lacks: %v", n)
	}
	w.relink(t, gap, over, direct+", cost: 5")
	w.runAt(t, "b", 3)
	w.runAt(t, "c", 3)
	w.origins(ctx, t, "c", 300+300+300)
}
