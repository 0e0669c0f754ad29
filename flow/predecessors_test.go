package flow_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
)

// markers are the topics that were asked to shut a producer out, each as often as it was.
type markers struct {
	sync.Mutex
	topics []string
	epochs map[int16]bool
}

func (r *ring) markersOf(id int64) *markers {
	m := &markers{epochs: map[int16]bool{}}
	r.eu.ControlKey(int16(kmsg.WriteTxnMarkers), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.eu.KeepControl()
		m.Lock()
		defer m.Unlock()
		for _, x := range req.(*kmsg.WriteTxnMarkersRequest).Markers {
			for _, t := range x.Topics {
				if x.ProducerID == id {
					m.topics, m.epochs[x.ProducerEpoch] = append(m.topics, t.Topic), true
				}
			}
		}
		return nil, nil, false
	})
	return m
}

func (m *markers) sorted() []string {
	m.Lock()
	defer m.Unlock()
	return slices.Sorted(slices.Values(m.topics))
}

// Who was given another id registered it, and died before it had shut out the id before. The next owner, by the same id, does so; and who comes
// after that one need not.
func TestAnIdBeforeTheLastIsShutOut(t *testing.T) {
	t.Parallel()
	r := newRing(t)
	c := r.destination()
	if err := checkpoint.EnsureWriters(r.ctx, c, 3); err != nil {
		t.Fatal(err)
	}
	const old = 4_000_000
	r.register("eu-8", kafka.ProducerID{ID: old, Epoch: 6})
	id, err := c.InitProducer(r.ctx, "meshd.test."+r.shard.String())
	if err != nil {
		t.Fatal(err)
	}
	over, seen := r.register("eu-9", id), r.markersOf(old)
	want := []string{checkpoint.OffsetsTopic("us"), checkpoint.ProgressTopic("us"), "us.orders"}
	for range 2 {
		m := named(t, "eu-1")
		r.apply(m, over)
		r.flows()
		await(r.ctx, t, m, "open", is(flow.Streaming, ""))
		m.Close()
		last, _ := r.last()
		if over = last.Seq; last.ID.ID != id.ID {
			t.Fatalf("the writer's id is %s, and was %s", last.ID, id)
		}
		if diff := cmp.Diff(want, seen.sorted()); diff != "" || !seen.epochs[7] || len(seen.epochs) != 1 {
			t.Errorf("shut out, to epochs %v: %s", seen.epochs, diff)
		}
	}
}
