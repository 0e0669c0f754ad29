package integration

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
	"github.com/meshd/meshd/test/validate"
)

// A link that starts at the latest leaves out what was there before it, everywhere. Partitions and topics that come later are copied from
// their beginning.
func TestIdentityFromTheLatest(t *testing.T) {
	parallel(t)
	sites := []*site{own(t, "us"), own(t, "eu")} // where no flow ever began: a topic that comes to one that did is copied from its beginning
	c := newCommon(t, 4, sites...)
	later := common{topic: c.topic + "-later", sites: sites}
	const n = 500
	c.produce(t, n, kafkatest.Workload{Partitions: 4})
	ends := map[string]map[int32]logread.Range{}
	for _, s := range sites {
		ends[s.alias] = c.bounds(t, s)
	}
	c.promised = func(origin, _ string, partition int32) int64 { return ends[origin][partition].End }
	m := newMesh(t, identity("us, eu", c.topic+".*")+"\n    start: latest", sites...)
	m.startAll(t)
	for _, s := range sites {
		m.awaitStreaming(t, s.names()[0], c.topic, 4)
	}
	c.produce(t, n, kafkatest.Workload{Seed: 1, Partitions: 4})
	addPartitions(t, sites[1], c.topic, 6)
	later.sites[0].CreateTopic(t, later.topic, 2)
	first := later.workload(sites[0], kafkatest.Workload{Records: n, Partitions: 2})
	sites[0].Produce(t, later.topic, first)
	c.produceAt(t, sites[1], n, kafkatest.Workload{Seed: 2, Partitions: 6})
	for _, s := range sites {
		awaitPartitions(t, s, c.topic, 6)
	}
	c.verify(t, map[string]int{"us": 2 * n, "eu": 3 * n})
	later.verify(t, map[string]int{"us": n})
}

// produce writes n records at every site.
func (c common) produce(t *testing.T, n int, w kafkatest.Workload) {
	t.Helper()
	for _, s := range c.sites {
		c.produceAt(t, s, n, w)
	}
}

func (c common) produceAt(t *testing.T, s *site, n int, w kafkatest.Workload) {
	t.Helper()
	w.Records = n
	s.Produce(t, c.topic, c.workload(s, w))
}

func (c common) bounds(t *testing.T, s *site) map[int32]logread.Range {
	t.Helper()
	bounds, err := logread.Bounds(t.Context(), s.Client(t), c.topic, logread.Uncommitted)
	if err != nil {
		t.Fatal(err)
	}
	return bounds
}

// awaitStreaming waits until a node copies so many partitions of a topic, and has nothing left to catch up with.
func (m *mesh) awaitStreaming(t *testing.T, node, topic string, n int) {
	t.Helper()
	await(t, fmt.Sprintf("%s to stream %d partitions of %s", node, n, topic), func() (string, bool) {
		var saw [][]byte
		streaming := 0
		for _, f := range m.flows(t, node) {
			for _, p := range f.Parts {
				if f.Topic != topic {
					continue
				}
				saw = append(saw, p)
				if bytes.Contains(p, []byte(`"state":"streaming"`)) {
					streaming++
				}
			}
		}
		return fmt.Sprintf("%s", saw), streaming == n
	})
}

// Clusters have a topic with different numbers of partitions: it grows to the largest everywhere.
func TestIdentityPartitionsDiffer(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu", "ap")
	c := common{topic: kafkatest.UniqueTopic(t, "orders"), sites: sites}
	produced := map[string]int{}
	for i, n := range []int32{2, 5, 3} {
		sites[i].CreateTopic(t, c.topic, n)
		c.produceAt(t, sites[i], 500, kafkatest.Workload{Partitions: n})
		produced[sites[i].alias] += 500
	}
	m := newMesh(t, identity("us, eu, ap", c.topic), sites...)
	m.startAll(t)
	for _, s := range sites {
		awaitPartitions(t, s, c.topic, 5)
		c.produceAt(t, s, 500, kafkatest.Workload{Seed: 1, Partitions: 5})
		produced[s.alias] += 500
	}
	c.verify(t, produced)
}

// A topic is only at one cluster, then it is written to at the others, where meshd made it.
func TestIdentityTopicOfOneCluster(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu", "ap")
	c := common{topic: kafkatest.UniqueTopic(t, "orders"), sites: sites}
	m := newMesh(t, identity("us, eu, ap", c.topic), sites...)
	m.startAll(t)
	sites[2].CreateTopic(t, c.topic, 3)
	c.produceAt(t, sites[2], 500, kafkatest.Workload{Partitions: 3})
	for _, s := range sites[:2] {
		awaitPartitions(t, s, c.topic, 3)
	}
	c.produce(t, 500, kafkatest.Workload{Seed: 1, Partitions: 3})
	c.verify(t, map[string]int{"us": 500, "eu": 500, "ap": 1_000})
}

// A compacted topic with writers on both sides is refused, with a reason, until the topology says that it may differ.
func TestIdentityCompactedTopic(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	c := common{topic: kafkatest.UniqueTopic(t, "latest"), sites: sites}
	for _, s := range sites {
		s.CreateTopic(t, c.topic, 2, "cleanup.policy", "compact")
		c.produceAt(t, s, 500, kafkatest.Workload{Partitions: 2, Size: 100}) // no key twice, and none null
	}
	m := newMesh(t, identity("us, eu", c.topic), sites...)
	m.startAll(t)
	for _, s := range sites {
		p := m.awaitReason(t, s.names()[0], "divergence", c.topic)
		t.Logf("it said: %s (%s)", p.Text, p.Hint)
	}
	if report, err := validate.Shared(t.Context(), c.shared(t)); err != nil || report.Counts != (validate.Counts{validate.Lost: 1_000}) {
		t.Errorf("something was copied: %s, %v", report, err)
	}
	for _, s := range sites {
		m.latest[s.names()[0]].stop(t)
	}
	m.links += "\n    divergence: allow"
	m.write(t)
	m.startAll(t)
	c.verify(t, map[string]int{us.alias: 500, eu.alias: 500})
}

// One cluster goes by two aliases: that is said, and what it holds is not copied twice.
func TestIdentityTwoAliasesForOneCluster(t *testing.T) {
	parallel(t)
	us, eu := own(t, "us"), own(t, "eu")
	west := &site{Cluster: us.Cluster, alias: "west"}
	c := newCommon(t, 4, us, eu)
	c.produce(t, 500, kafkatest.Workload{Partitions: 4})
	m := newMesh(t, identity("us, west, eu", c.topic), us, west, eu)
	m.startAll(t)
	p, saw := m.findReason(t, "eu-1", "same_cluster", "west")
	if saw != "" {
		t.Errorf("nothing is said of it: %s", saw)
	}
	t.Logf("it said: %s (%s)", p.Text, p.Hint)
	c.produce(t, 500, kafkatest.Workload{Seed: 1, Partitions: 4})
	report := c.judge(t, patience/4)
	if only := (validate.Counts{validate.Lost: report.Counts[validate.Lost]}); report.Counts != only {
		t.Errorf("more than missing: %s", report)
	}
}

// Where partitions are not to be added, those that only one cluster has are said to go nowhere, and the others are copied.
func TestIdentityPartitionsStayDifferent(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	c := common{topic: kafkatest.UniqueTopic(t, "orders"), sites: sites}
	for i, n := range []int32{2, 5} {
		sites[i].CreateTopic(t, c.topic, n)
		c.produceAt(t, sites[i], 500, kafkatest.Workload{Partitions: 2})
	}
	m := newMesh(t, identity("us, eu", c.topic)+"\n    sync: {partitions: false}", sites...)
	m.startAll(t)
	c.verify(t, map[string]int{"us": 500, "eu": 500})
	produceOne(t, sites[1], &kgo.Record{Topic: c.topic, Partition: 4, Value: []byte("eu|of a partition that us has not")})
	p := m.awaitReason(t, "us-1", "destination_missing", c.topic)
	t.Logf("it said: %s (%s)", p.Text, p.Hint)
}
