package flow_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

func setConfig(ctx context.Context, t *testing.T, adm *kadm.Client, key, value string) {
	t.Helper()
	rs, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, "orders")
	if err == nil {
		_, err = rs.On("orders", func(r *kadm.AlterConfigsResponse) error { return r.Err })
	}
	if err != nil {
		t.Fatal(err)
	}
}

func configOf(ctx context.Context, t *testing.T, adm *kadm.Client, key string) string {
	t.Helper()
	rs, err := adm.DescribeTopicConfigs(ctx, "orders")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rs[0].Configs {
		if c.Key == key {
			return c.MaybeValue()
		}
	}
	return ""
}

// Of a topic that both ends of two links write, neither link sets the configs of the other's: that they differ is said, once, and that they
// do not any more. Partitions grow to the most that a cluster has.
func TestConfigsOfASharedTopicAreNobodysToSet(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b"}, "between: [a, b], "+identity)
	w.top.Intervals.Configs = 100 * time.Millisecond
	a, b := kadm.NewClient(w.clients["a"]), kadm.NewClient(w.clients["b"])
	setConfig(ctx, t, a, "retention.ms", "1000000")
	setConfig(ctx, t, b, "retention.ms", "2000000")
	setConfig(ctx, t, b, "max.message.bytes", "2000000") // larger than at a: not said of a->b
	if _, err := a.CreatePartitions(ctx, 1, "orders"); err != nil {
		t.Fatal(err)
	}
	log := &kafkatest.Journal{}
	w.nodes["b"] = managerTo(t, "b-1", "b", log)
	w.run(t, 1)
	threeOf := func(p flow.PairStatus) bool { return ordersOf(p) == 3 }
	drift := func(p flow.PairStatus) string {
		if d := topicOf(p).Drift; d != nil {
			return d.Code + ": " + d.Text
		}
		return ""
	}
	for _, n := range []topology.Alias{"a", "b"} {
		p := await(ctx, t, w.nodes[n], "differing configs", func(p flow.PairStatus) bool { return drift(p) != "" })
		if got := drift(p); !strings.HasPrefix(got, kafka.ConfigsDiffer) || !strings.Contains(got, "retention.ms is ") {
			t.Errorf("at %s: %s", n, got)
		}
	}
	if got, want := drift(w.nodes["b"].Status().Pairs[0]), kafka.ConfigsDiffer+": topic orders: retention.ms is 1000000 at a and 2000000 at b"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	await(ctx, t, w.nodes["b"], "three partitions", threeOf)
	await(ctx, t, w.nodes["a"], "three partitions", threeOf)
	for range 12 { // it is looked at often enough for a fight to show
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
		if x, y := configOf(ctx, t, a, "retention.ms"), configOf(ctx, t, b, "retention.ms"); x != "1000000" || y != "2000000" {
			t.Fatalf("retention.ms became %s at a and %s at b", x, y)
		}
	}
	if n := strings.Count(log.String(), kafka.ConfigsDiffer); n != 1 {
		t.Errorf("the log says it %d times", n)
	}
	setConfig(ctx, t, a, "retention.ms", "2000000")
	await(ctx, t, w.nodes["b"], "configs that are alike", func(p flow.PairStatus) bool { return topicOf(p).Topic != "" && drift(p) == "" })
}
