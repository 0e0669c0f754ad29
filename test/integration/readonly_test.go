package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	g := group{copyOf: one, name: kafkatest.UniqueTopic(t, "billing"), seen: map[string]int{}}
	g.consume(t, source, one.topic, n/2)
	before := snapshot(t, source, one.topic, two.topic, not)
	newMesh(t, oneWay("emrsource", "emrdest", "foo.*"), source, dest).start(t, "emrdest-1")
	one.verify(t, n)
	two.verify(t, n)
	awaitPartitions(t, dest, "heartbeats", 1)
	await(t, "a heartbeat from emrsource to emrdest", func() (string, bool) {
		beats := heartbeats(t, dest)
		return fmt.Sprint(beats), slices.Contains(beats, "emrsource->emrdest")
	})
	places := g.awaitCheckpoints(t)
	if diff := cmp.Diff(before, snapshot(t, source, one.topic, two.topic, not)); diff != "" {
		t.Errorf("the read only cluster changed (- before, + after):\n%s", diff)
	}
	if len(layout(t, dest, "emrsource."+not)) > 0 {
		t.Errorf("%s was copied, and does not match", not)
	}
	if kafkatest.Real() {
		g.translates(t, places)
	}
	t.Logf("%d records in each of 2 topics compared equal; the group of %d consumed ones would go on at %v", n, n/2, places)
}

// snapshot is what a cluster holds that a writer would change: topics, groups and their commits, producers, and the ends of some logs.
func snapshot(t *testing.T, s *site, topics ...string) map[string]string {
	t.Helper()
	admin := kadm.NewClient(s.Client(t))
	all, err := admin.ListTopicsWithInternal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	groups, err := admin.ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	producers, err := admin.ListTransactions(t.Context(), nil, nil)
	switch {
	case err != nil && strings.Contains(err.Error(), "broker is too old"):
		t.Log("transactional ids are not compared: a broker before 3.0 can't list them")
	case err != nil:
		t.Fatal(err)
	}
	is := map[string]string{"topics": fmt.Sprint(all.Names()), "groups": fmt.Sprint(groups.Groups()), "producers": fmt.Sprint(producers.TransactionalIDs())}
	for name, offsets := range admin.FetchManyOffsets(t.Context(), groups.Groups()...) {
		for _, o := range offsets.Fetched.Sorted() {
			is[fmt.Sprintf("group %s at %s/%d", name, o.Topic, o.Partition)] = fmt.Sprint(o.At, o.Metadata, o.Err)
		}
	}
	for _, topic := range topics {
		ends, err := logread.Bounds(t.Context(), s.Client(t), topic, logread.Uncommitted)
		if err != nil {
			t.Fatal(err)
		}
		is["log of "+topic] = fmt.Sprint(ends)
	}
	return is
}
