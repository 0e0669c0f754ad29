package flow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// All that meshd owned at a destination is deleted while its node does not run: nothing is copied again.
func TestAllOfMeshdsTopicsAreGone(t *testing.T) {
	for name, gone := range map[string][]string{
		"all":      {"meshd."},
		"topics":   {"meshd.topics"},
		"no maps":  {"meshd.topics", "meshd.progress.a", "meshd.offsets.a"},
		"registry": {"meshd.topics", "meshd.writers"},
	} {
		for _, running := range []bool{false, true} {
			name := fmt.Sprintf("%s, running %v", name, running)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ctx := deadline(t)
				w := joined(ctx, t, []topology.Alias{"a", "b"}, "from: [a], to: [b], "+identity)
				w.write(ctx, t, 0, 100)
				w.runAt(t, "b", 1)
				w.arrived(ctx, t, "b", "a", 100)
				_ = kafka.Sleep(ctx, time.Second)
				if !running {
					w.nodes["b"].Close()
				}
				adm := kadm.NewClient(w.clients["b"])
				ts, err := adm.ListTopics(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range ts.Names() {
					for _, g := range gone {
						if strings.HasPrefix(n, g) {
							if _, err := adm.DeleteTopic(ctx, n); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
				if !running {
					w.restart(t, "b", 2)
				}
				_ = kafka.Sleep(ctx, 4*time.Second)
				t.Log(w.reasons("b"))
				at, err := adm.ListEndOffsets(ctx, "orders")
				if err != nil {
					t.Fatal(err)
				}
				n := int64(0)
				at.Each(func(o kadm.ListedOffset) { n += o.Offset })
				if n > 200+6 {
					t.Errorf("%d records at b, where 200 should be", n)
				}
			})
		}
	}
}
