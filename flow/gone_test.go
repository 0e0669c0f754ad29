package flow_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// A shared topic that is deleted at its origin, over a link of one direction, does not vanish in silence.
func TestDeletedSharedTopicIsSaid(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b"}, "from: [a], to: [b], "+identity)
	w.write(ctx, t, 0, 10)
	w.runAt(t, "b", 1)
	w.arrived(ctx, t, "b", "a", 10)
	if _, err := kadm.NewClient(w.clients["a"]).DeleteTopic(ctx, "orders"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); _ = kafka.Sleep(ctx, 50*time.Millisecond) {
		for _, p := range w.nodes["b"].Status().Pairs {
			for _, x := range p.Topics {
				if x.Reason != nil && x.Reason.Code == kafka.SourceDeleted {
					return
				}
			}
		}
	}
	t.Fatalf("nothing says that it is gone: %+v", w.nodes["b"].Status().Pairs)
}
