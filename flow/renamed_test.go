package flow_test

import (
	"strings"
	"testing"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// The naming of a link is changed while it runs: what stops says why.
func TestNamingIsChanged(t *testing.T) {
	for name, links := range map[string][2]string{
		"to prefix":   {"from: [a], to: [b], " + identity, `from: [a], to: [b], topics: {include: ["orders"]}`},
		"to identity": {`from: [a], to: [b], topics: {include: ["orders"]}`, "from: [a], to: [b], " + identity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			w := joined(ctx, t, []topology.Alias{"a", "b"}, links[0])
			w.write(ctx, t, 0, 10)
			w.runAt(t, "b", 1)
			await(ctx, t, w.nodes["b"], "the copy", func(p flow.PairStatus) bool {
				return len(p.Partitions) == 2 && p.Partitions[0].Next == 5 && p.Partitions[1].Next == 5
			})
			w.parse(t, 2, links[1:])
			w.runAt(t, "b", 1)
			if r := w.reason(ctx, t, "b", 0, kafka.Unclaimed); !strings.Contains(r.Hint, "naming") {
				t.Errorf("it does not say what to do: %v", r)
			}
		})
	}
}
