package integration

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// layout returns a topic's partitions; none if it does not exist.
func layout(t testing.TB, s *site, topic string) []kadm.PartitionDetail {
	t.Helper()
	all, err := kadm.NewClient(s.Client(t)).ListTopics(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return all[topic].Partitions.Sorted()
}

func awaitInSync(t testing.TB, s *site, topic string, replicas int) {
	t.Helper()
	await(t, fmt.Sprintf("%d replicas of %s in sync", replicas, topic), func() (string, bool) {
		for _, p := range layout(t, s, topic) {
			if len(p.ISR) < replicas {
				return fmt.Sprintf("partition %d has %d", p.Partition, len(p.ISR)), false
			}
		}
		return "", true
	})
}

func awaitPartitions(t testing.TB, s *site, topic string, n int) {
	t.Helper()
	await(t, fmt.Sprintf("%d partitions of %s at %s", n, topic, s.alias), func() (string, bool) {
		got := len(layout(t, s, topic))
		return strconv.Itoa(got), got == n
	})
}

// configs returns what is set for a topic itself.
func configs(t testing.TB, s *site, topic string) map[string]string {
	t.Helper()
	rs, err := kadm.NewClient(s.Client(t)).DescribeTopicConfigs(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rs.On(topic, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]string{}
	for _, c := range r.Configs {
		if c.Source.String() == "DYNAMIC_TOPIC_CONFIG" && c.Value != nil {
			set[c.Key] = *c.Value
		}
	}
	return set
}

func wantReplicas(t testing.TB, s *site, topic string, n int) {
	t.Helper()
	for _, p := range layout(t, s, topic) {
		if len(p.Replicas) != n {
			t.Errorf("%s/%d at %s has %d replicas, want %d", topic, p.Partition, s.alias, len(p.Replicas), n)
		}
	}
}
