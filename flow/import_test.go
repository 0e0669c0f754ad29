package flow_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/topology"
)

// takeCut imports what was copied to a cluster from the origin a, up to a position in each partition.
func (w *world) takeCut(ctx context.Context, t *testing.T, at topology.Alias, position int64) checkpoint.Cut {
	t.Helper()
	cut, _, err := metasync.Import{
		Topic: "orders", At: w.dial(t, at), From: map[topology.Alias]*kafka.Cluster{"a": w.dial(t, "a")}, Positions: map[topology.Alias]map[int32]int64{"a": {0: position, 1: position}},
	}.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return cut
}

// copyBefore copies records of a series as a tool does that knows nothing of headers.
func (w *world) copyBefore(ctx context.Context, t *testing.T, to topology.Alias, series string, n int) {
	t.Helper()
	for i := range n {
		if err := w.clients[to].ProduceSync(ctx, &kgo.Record{Topic: "orders", Partition: int32(i % 2), Key: []byte(series + "/" + strconv.Itoa(i)), Value: []byte("v")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// What another tool had copied goes nowhere again, and what it had not copied comes; the log of the cluster where it is goes on from the cut.
func TestImportedTopicGoesOn(t *testing.T) {
	for name, links := range map[string][2]string{
		"first directly, then over a hub": {"between: [a, b, c], ", "between: {hub: c, spokes: [a, b]}, "},
		"first over a hub, then directly": {"between: {hub: c, spokes: [a, b]}, ", "between: [a, b, c], "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			importedGoesOn(deadline(t), t, links)
		})
	}
}

func importedGoesOn(ctx context.Context, t *testing.T, links [2]string) {
	t.Helper()
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, links[0]+identity)
	w.put(ctx, t, "a", "a", 0, 120)
	w.copyBefore(ctx, t, "b", "a", 80)
	cut := w.takeCut(ctx, t, "b", 40)
	if cut.Below[0] != 40 || cut.Below[1] != 40 {
		t.Errorf("cut at %v", cut.Below)
	}
	w.put(ctx, t, "b", "b", 0, 60)
	w.run(t, 1)
	w.holds(ctx, t, "b", "orders", serial, map[string]int{"a": 120, "b": 60})
	w.holds(ctx, t, "a", "orders", serial, map[string]int{"a": 120, "b": 60})
	w.holds(ctx, t, "c", "orders", serial, map[string]int{"a": 120, "b": 60})
	for _, p := range w.nodes["c"].Status().Pairs { // in either way c reads b itself
		for _, x := range p.Topics {
			if want := map[topology.Alias]int64{"b": 80}[p.Source]; x.Topic == "orders" && x.BelowCut != want {
				t.Errorf("%d offsets of %s lie below a cut, want %d", x.BelowCut, p.Source, want)
			}
		}
	}
	w.renew(t, w.names...)
	w.put(ctx, t, "a", "a", 120, 150)
	w.put(ctx, t, "b", "b", 60, 100)
	w.run(t, 2)
	for _, a := range w.names {
		w.holds(ctx, t, a, "orders", serial, map[string]int{"a": 150, "b": 100})
	}
	w.relink(t, links[1]+identity) // what was there before does not come another way
	w.run(t, 3)
	w.put(ctx, t, "a", "a", 150, 170)
	w.put(ctx, t, "b", "b", 100, 120)
	for _, a := range w.names {
		w.holds(ctx, t, a, "orders", serial, map[string]int{"a": 170, "b": 120})
	}
}

// Who reads from the cluster with the cut alone lacks what the tool had copied, and says so; what lies below the cut stops nobody.
func TestImportOverAHub(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b", "c", "d"}, "between: [a, b], "+identity, "between: [b, c], "+identity, "between: [c, d], "+identity)
	w.put(ctx, t, "a", "a", 0, 100)
	w.copyBefore(ctx, t, "b", "a", 80)
	w.takeCut(ctx, t, "b", 40)
	w.put(ctx, t, "b", "b", 0, 60)
	w.run(t, 1)
	w.says(ctx, t, "c", "retention_gap")
	w.holds(ctx, t, "d", "orders", serial, map[string]int{"b": 60})
	w.relink(t, "between: [a, b], "+identity, "between: [b, c], "+identity+", on_gap: continue", "between: [c, d], "+identity+", on_gap: continue")
	w.run(t, 2)
	w.put(ctx, t, "b", "b", 60, 80)
	w.holds(ctx, t, "b", "orders", serial, map[string]int{"a": 100, "b": 80})
}
