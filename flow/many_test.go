package flow_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// asked counts the requests of a kind.
func asked(c *kfake.Cluster, k kmsg.Key) *atomic.Int64 {
	n := new(atomic.Int64)
	c.ControlKey(k.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		n.Add(1)
		return nil, nil, false
	})
	return n
}

// With many topics as many questions are not asked one after the other: over a WAN each takes as long as a light wave does.
func TestManyTopicsTakeFewQuestions(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	const topics = 400
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, `between: [a, b, c], naming: identity, topics: {include: ["orders.*"]}`)
	var names []string
	for i := range topics {
		names = append(names, fmt.Sprintf("orders-%d", i))
	}
	for _, a := range w.names {
		if _, err := kadm.NewClient(w.clients[a]).CreateTopics(ctx, 1, 1, nil, names...); err != nil {
			t.Fatal(err)
		}
	}
	configs, offsets := asked(w.clusters["b"], kmsg.DescribeConfigs), asked(w.clusters["b"], kmsg.ListOffsets)
	w.run(t, 1)
	for {
		n := 0
		for _, p := range w.nodes["c"].Status().Pairs {
			for _, x := range p.Partitions {
				if x.State == "streaming" {
					n++
				}
			}
		}
		if n >= 2*topics {
			break
		}
		if kafka.Sleep(ctx, 50*time.Millisecond) != nil {
			t.Fatal("not all stream")
		}
	}
	_ = kafka.Sleep(ctx, 5*time.Second)
	was := offsets.Load()
	_ = kafka.Sleep(ctx, 2*time.Second) // ten rounds of two readers
	if n := offsets.Load() - was; n > topics {
		t.Errorf("in two seconds it was asked %d times for offsets", n)
	}
	if configs.Load() > topics/2 {
		t.Errorf("it was asked %d times for the configs of %d topics", configs.Load(), topics)
	}
}
