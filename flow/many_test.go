package flow_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// asked counts the questions of a kind, and the topics in them that begin with a prefix; questions about no such topic don't count.
type asked struct{ questions, topics atomic.Int64 }

func (a *asked) about(topics int) {
	if topics > 0 {
		a.questions.Add(1)
		a.topics.Add(int64(topics))
	}
}

// each is how many topics a question was about, on average.
func (a *asked) each() float64 { return float64(a.topics.Load()) / float64(a.questions.Load()) }

func count(c *kfake.Cluster, k kmsg.Key, topics func(kmsg.Request) int) *asked {
	n := new(asked)
	c.ControlKey(k.Int16(), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		n.about(topics(r))
		return nil, nil, false
	})
	return n
}

func configsOf(r kmsg.Request) (n int) {
	for _, x := range r.(*kmsg.DescribeConfigsRequest).Resources {
		if strings.HasPrefix(x.ResourceName, "orders-") {
			n++
		}
	}
	return n
}

func offsetsOf(r kmsg.Request) (n int) {
	for _, x := range r.(*kmsg.ListOffsetsRequest).Topics {
		if strings.HasPrefix(x.Topic, "orders-") {
			n++
		}
	}
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
	configs := count(w.clusters["b"], kmsg.DescribeConfigs, configsOf)
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
	offsets := count(w.clusters["b"], kmsg.ListOffsets, offsetsOf)
	for offsets.questions.Load() < 200 { // some rounds of two readers
		if kafka.Sleep(ctx, 50*time.Millisecond) != nil {
			t.Fatal("it asks for nothing any more")
		}
	}
	if n := offsets.each(); !(n >= 10) {
		t.Errorf("it was asked for the offsets of %.1f topics at a time", n)
	}
	if n := configs.each(); !(n >= 10) {
		t.Errorf("it was asked for the configs of %.1f topics at a time", n)
	}
}
