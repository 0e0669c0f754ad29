package flow_test

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/topology"
)

// A writer that is taken over while its origin is silent does not read what applications wrote in between: the leader remembers that none of
// it is the writer's.
func TestIdleWriterIsTakenOverUnread(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b"}, "from: [a], to: [b], "+identity)
	w.write(ctx, t, 0, 100)
	w.runAt(t, "b", 1)
	w.origins(ctx, t, "b", 200)
	w.writeAt(ctx, t, "b", 100, 20_000)
	w.renew(t, "b")
	var read atomic.Int64
	id := w.clusters["b"].TopicInfo("orders").TopicID
	w.clusters["b"].ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		w.clusters["b"].KeepControl()
		for _, x := range r.(*kmsg.FetchRequest).Topics {
			if x.Topic == "orders" || x.TopicID == id {
				read.Add(1)
			}
		}
		return nil, nil, false
	})
	w.runAt(t, "b", 2)
	w.awaits(ctx, t, "b", 1, streams)
	if n := read.Load(); n > 20 {
		t.Errorf("the copy was read %d times", n)
	}
	w.writeAt(ctx, t, "a", 100, 200)
	if n, _ := w.origins(ctx, t, "b", 20_000+200); n["a"] != 200 {
		t.Errorf("arrived: %v", n)
	}
}
