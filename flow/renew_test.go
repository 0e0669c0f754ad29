package flow_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

// writersOf are the writers of a pair's shards, and the epochs of what they were given.
func writersOf(p flow.PairStatus) map[string]string {
	out := map[string]string{}
	for _, s := range p.Shards {
		out[strconv.Itoa(s.Number)] = s.Writer
	}
	return out
}

// A link that has nothing to do with a pair does not disturb it; one over which its records may come too is taken up as it runs; and one
// that sets it otherwise has it begin anew.
func TestATopologyIsTakenUpWithoutAStop(t *testing.T) {
	for name, tc := range map[string]struct {
		links  []string
		goesOn bool
		ways   topology.Alias // by which the records come then
	}{
		"a link that is not its own": {[]string{"between: [a, b], " + identity, "from: [a], to: [c], " + identity}, true, "a"},
		"another way":                {[]string{"between: [a, b, c], " + identity}, true, "a"},
		"another name and cost":      {[]string{"between: [a, b], name: west, cost: 5, " + identity}, true, "a"},
		"other settings":             {[]string{`between: [a, b], on_gap: continue, ` + identity}, false, "a"},
		"its link is gone":           {[]string{"between: [a, c], " + identity, "between: [b, c], " + identity}, false, "c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: [a, b], "+identity)
			w.run(t, 1)
			w.names = w.names[:2]
			w.write(ctx, t, 0, 100)
			w.check(ctx, t, 100)
			at := topology.Pair{Source: "a", Destination: "b"}
			both := func(p flow.PairStatus) bool { return ordersOf(p) == 2 && len(p.Shards) >= 2 }
			before := writersOf(awaitPair(ctx, t, w.nodes["b"], at, "open", both))
			w.names = append(w.names, "c")
			w.relink(t, tc.links...)
			w.run(t, 2)
			p := awaitPair(ctx, t, w.nodes["b"], at, "open again", func(p flow.PairStatus) bool {
				return both(p) && topicOf(p).From == tc.ways && writersOf(p)["12"] != ""
			})
			if same := cmp.Diff(before, writersOf(p)) == ""; same != tc.goesOn {
				t.Errorf("writers were %v, and are %v", before, writersOf(p))
			}
			w.names = w.names[:2]
			w.write(ctx, t, 100, 200)
			w.check(ctx, t, 200)
		})
	}
}

// A way that came while the pair ran is one that it may go by.
func TestAWayThatCameLaterIsTaken(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: [a, b], "+identity, "from: [a], to: [c], "+identity)
	w.run(t, 1)
	w.write(ctx, t, 0, 50)
	w.relink(t, "between: [a, b, c], "+identity)
	w.run(t, 2)
	w.write(ctx, t, 50, 100)
	w.check(ctx, t, 100)
	w.clusters["a"].Close()
	at := topology.Pair{Source: "a", Destination: "b"}
	awaitPair(ctx, t, w.nodes["b"], at, "read at c", func(p flow.PairStatus) bool { return topicOf(p).From == "c" })
}
