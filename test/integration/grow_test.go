package integration

import (
	"fmt"
	"maps"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/internal/kafkatest"
)

// A topic grows and another one appears while a node runs: both are copied whole.
func TestSourceGrows(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	old := copyOf{us, eu, kafkatest.UniqueTopic(t, "grows")}
	added := copyOf{us, eu, kafkatest.UniqueTopic(t, "grows-new")}
	us.CreateTopic(t, old.topic, 2)
	newMesh(t, oneWay("us", "eu", "grows.*"), sites...).start(t, "eu-1")
	before := startLoad(t, us, old.topic, kafkatest.Workload{Partitions: 2}, 1_000)
	startWatch(t, eu, old.remote()).awaitMore(t, 500)

	addPartitions(t, us, old.topic, 5)
	after := startLoad(t, us, old.topic, kafkatest.Workload{Seed: 1, Partitions: 5, Records: 2_000}, 0)
	us.CreateTopic(t, added.topic, 3)
	first := us.Produce(t, added.topic, kafkatest.Workload{Seed: 2, Partitions: 3, Records: 2_000})
	awaitPartitions(t, eu, old.remote(), 5)
	n := after.wait(t) + before.stop(t)
	old.verify(t, n)
	added.verify(t, len(first))
	t.Logf("%d records in a topic that grew from 2 to 5 partitions, %d in a new one, compared equal", n, len(first))
}

func addPartitions(t *testing.T, s *site, topic string, to int) {
	t.Helper()
	rs, err := kadm.NewClient(s.Client(t)).UpdatePartitions(t.Context(), to, topic)
	if err == nil {
		err = rs.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A copy has the configs of its source, but for those that belong to a cluster, also when they change.
func TestTopicConfigs(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "configs")}
	us.CreateTopic(t, c.topic, 1,
		"retention.ms", "3600000000", "cleanup.policy", "compact,delete", "max.message.bytes", "2000000", "compression.type", "producer",
		"min.insync.replicas", "1", "unclean.leader.election.enable", "true", "message.timestamp.type", "LogAppendTime")
	newMesh(t, oneWay("us", "eu", c.topic), sites...).start(t, "eu-1")
	awaitPartitions(t, eu, c.remote(), 1)
	awaitConfigs(t, eu, c.remote(), map[string]string{
		"retention.ms": "3600000000", "cleanup.policy": "compact,delete", "max.message.bytes": "2000000", "compression.type": "producer",
		"min.insync.replicas": "", "unclean.leader.election.enable": "", "message.timestamp.type": "CreateTime",
	})
	alterTopic(t, us, c.topic, "retention.ms", "7200000000")
	alterTopic(t, us, c.topic, "segment.bytes", "10485760")
	awaitConfigs(t, eu, c.remote(), map[string]string{"retention.ms": "7200000000", "segment.bytes": "10485760", "min.insync.replicas": ""})
	t.Logf("the copy has: %v", configs(t, eu, c.remote()))
}

// awaitConfigs waits until a topic has these of its own; "" stands for one that is not set.
func awaitConfigs(t *testing.T, s *site, topic string, want map[string]string) {
	t.Helper()
	await(t, "the configs of "+topic, func() (string, bool) {
		have := configs(t, s, topic)
		got := maps.Clone(want)
		for key := range got {
			got[key] = have[key]
		}
		return fmt.Sprintf("%v, want %v", got, want), maps.Equal(got, want)
	})
}

// The copy has the replication factor of its source, or of the rule, and never more than there are brokers.
func TestReplicationFactor(t *testing.T) {
	parallel(t)
	us, eu := shared(t, "us")[0], own(t, "eu3", kafkatest.WithBrokers(3)) // us remembers the registry of eu
	asSource, byRule, capped, back := kafkatest.UniqueTopic(t, "rf-source"), kafkatest.UniqueTopic(t, "rf-rule"), kafkatest.UniqueTopic(t, "rf-capped"), kafkatest.UniqueTopic(t, "rf-back")
	for _, topic := range []string{asSource, byRule, capped} {
		us.CreateTopic(t, topic, 1)
	}
	createReplicated(t, eu, back, 3)
	links := fmt.Sprintf(`  - between: [us, eu3]
    topics:
      include: ["rf-.*"]
      rules:
        - {match: %q, replication_factor: 2}
        - {match: %q, replication_factor: 5}`, byRule, capped)
	newMesh(t, links, us, eu).startAll(t)
	for _, c := range []struct {
		copyOf
		want int
	}{
		{copyOf{us, eu, asSource}, 1},
		{copyOf{us, eu, byRule}, 2},
		{copyOf{us, eu, capped}, 3},
		{copyOf{eu, us, back}, 1},
	} {
		awaitPartitions(t, c.to, c.remote(), 1)
		wantReplicas(t, c.to, c.remote(), c.want)
	}
}

func createReplicated(t *testing.T, s *site, topic string, replicas int16) {
	t.Helper()
	r, err := kadm.NewClient(s.Client(t)).CreateTopic(t.Context(), 1, replicas, nil, topic)
	if err == nil {
		err = r.Err
	}
	if err != nil {
		t.Fatal(err)
	}
}
