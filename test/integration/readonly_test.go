package integration

import (
	"bytes"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// A migration as a user of MirrorMaker 2 sets it up: one way, the source read only and without a node.
func TestReadOnlySource(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	source, dest := sites[0], sites[1]
	source.alias, source.more, source.noNode = "emrsource", "read_only: true", true
	dest.alias = "emrdest"
	one, two := copyOf{source, dest, kafkatest.UniqueTopic(t, "foo")}, copyOf{source, dest, kafkatest.UniqueTopic(t, "foo-two")}
	not := kafkatest.UniqueTopic(t, "bar")
	source.CreateTopic(t, not, 1)
	n := produceEach(t, 2_000, one, two)
	before := topicNames(t, source)
	newMesh(t, oneWay("emrsource", "emrdest", "foo.*"), source, dest).start(t, "emrdest-1")
	one.verify(t, n)
	two.verify(t, n)
	awaitPartitions(t, dest, "heartbeats", 1)
	await(t, "a heartbeat from emrsource to emrdest", func() (string, bool) {
		rs := dest.ReadAll(t, "heartbeats", logread.Uncommitted)
		for _, r := range rs {
			if bytes.Contains(r.Key, []byte("emrsource")) && bytes.Contains(r.Key, []byte("emrdest")) {
				return "", true
			}
		}
		return "only others", false
	})
	if after := topicNames(t, source); !slices.Equal(before, after) {
		t.Errorf("the read only cluster had %s, and has %s", before, after)
	}
	if len(layout(t, dest, "emrsource."+not)) > 0 {
		t.Errorf("%s was copied, and does not match", not)
	}
	t.Logf("%d records in each of 2 topics compared equal", n)
}

// topicNames lists all topics but Kafka's own, which come with the first consumer.
func topicNames(t *testing.T, s *site) []string {
	t.Helper()
	all, err := kadm.NewClient(s.Client(t)).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all.Names()
}
