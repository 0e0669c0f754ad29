package flow_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/topology"
)

// Where the notes of how far everything had come are lost, the headers in the log say it.
func TestLostProgressIsFoundInTheLog(t *testing.T) {
	for name, lost := range map[string][]string{
		"the progress":          {"meshd.progress.a", "meshd.progress.c"},
		"the progress and maps": {"meshd.progress.a", "meshd.progress.c", "meshd.offsets.a", "meshd.offsets.c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			names := []topology.Alias{"a", "b", "c"}
			w := joined(ctx, t, names, "between: [a, b], "+identity, "between: [b, c], "+identity)
			w.write(ctx, t, 0, 100)
			w.run(t, 1)
			w.write(ctx, t, 100, 200)
			w.check(ctx, t, 200)
			for _, a := range names {
				w.nodes[a].Close()
				w.nodes[a] = manager(t, string(a))
			}
			w.write(ctx, t, 200, 250)
			if _, err := kadm.NewClient(w.clients["b"]).DeleteTopics(ctx, lost...); err != nil {
				t.Fatal(err)
			}
			w.run(t, 2)
			w.write(ctx, t, 250, 300)
			w.check(ctx, t, 300)
		})
	}
}
