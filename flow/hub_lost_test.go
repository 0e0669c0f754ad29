package flow_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// The notes of a cluster in the middle are lost and made again while those run who read there.
func TestReadersOutliveLostNotes(t *testing.T) {
	for name, lost := range map[string][]string{
		"the progress":          {"meshd.progress.a", "meshd.progress.c"},
		"the progress and maps": {"meshd.progress.a", "meshd.progress.c", "meshd.offsets.a", "meshd.offsets.c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: [a, b], "+identity, "between: [b, c], "+identity)
			w.write(ctx, t, 0, 100)
			w.run(t, 1)
			w.check(ctx, t, 100)
			_ = kafka.Sleep(ctx, time.Second) // all is noted
			w.nodes["b"].Close()
			w.nodes["b"] = manager(t, "b")
			if _, err := kadm.NewClient(w.clients["b"]).DeleteTopics(ctx, lost...); err != nil {
				t.Fatal(err)
			}
			w.runAt(t, "b", 2)
			w.write(ctx, t, 100, 300)
			w.check(ctx, t, 300)
		})
	}
}
