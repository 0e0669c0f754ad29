package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meshd/meshd/internal/kafkatest"
)

// Two clusters take writes of the same topic and copy it into each other.
func TestBothDirections(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	n := pick(20_000, 200_000)
	topic := kafkatest.UniqueTopic(t, "orders")
	m := newMesh(t, link("us, eu", topic), sites...)
	began := time.Now()
	produceEverywhere(t, m, topic, n)
	verifyEverywhere(t, m, topic, n)
	t.Logf("%d records each way compared equal, %.1f s", n, time.Since(began).Seconds())
}

// The same with two nodes in each datacenter, which share the work.
func TestTwoNodesEach(t *testing.T) {
	parallel(t)
	sites := several(t, 2)
	n := pick(20_000, 200_000)
	topic := kafkatest.UniqueTopic(t, "orders")
	m := newMesh(t, link("us, eu", topic), sites...)
	began := time.Now()
	produceEverywhere(t, m, topic, n)
	verifyEverywhere(t, m, topic, n)
	took := time.Since(began).Seconds()
	for _, s := range sites {
		m.awaitShared(t, s)
	}
	verifyEverywhere(t, m, topic, n)
	t.Logf("%d records each way compared equal, %.1f s; and again after shards moved", n, took)
}

// In a mesh of three, every cluster ends with the topic and one copy from each other cluster.
func TestMeshOfThree(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu", "ap")
	n := pick(5_000, 30_000)
	topic := kafkatest.UniqueTopic(t, "orders")
	m := newMesh(t, link("us, eu, ap", topic), sites...)
	produceEverywhere(t, m, topic, n)
	verifyEverywhere(t, m, topic, n)
	t.Logf("%d records from each of 3 clusters compared equal at the 2 others", n)
}

// produceEverywhere makes the topic at every cluster and writes to all of them while the nodes start and run.
func produceEverywhere(t *testing.T, m *mesh, topic string, n int) {
	t.Helper()
	var loads []*load
	for i, s := range m.sites {
		s.CreateTopic(t, topic, 8)
		loads = append(loads, startLoad(t, s, topic, kafkatest.Workload{Seed: uint64(i + 1), Records: n, Partitions: 8}, n/5))
	}
	m.startAll(t)
	for _, l := range loads {
		l.wait(t)
	}
}

// verifyEverywhere compares every copy, and then looks for copies of copies.
func verifyEverywhere(t *testing.T, m *mesh, topic string, n int) {
	t.Helper()
	for _, from := range m.sites {
		for _, to := range m.sites {
			if from != to {
				copyOf{from, to, topic}.verify(t, n)
			}
		}
	}
	noLoops(t, m.sites)
	want := len(m.sites)
	for _, s := range m.sites {
		if got := topicsLike(t, s, topic); len(got) != want {
			t.Errorf("%s has %d topics of %s, want %d: %s", s.alias, len(got), topic, want, got)
		}
	}
}

// topicsLike lists the topics whose name ends with a suffix.
func topicsLike(t *testing.T, s *site, suffix string) []string {
	t.Helper()
	all, err := kadm.NewClient(s.Client(t)).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range all.Names() {
		if strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	return names
}
