package integration

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
	"github.com/meshd/meshd/test/validate"
)

// A node starts while neither cluster answers, says so, and works when they are there.
func TestClustersDownAtStart(t *testing.T) {
	parallel(t)
	us, eu := own(t, "us", kafkatest.Restartable()), own(t, "eu", kafkatest.Restartable())
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "orders")}
	us.CreateTopic(t, c.topic, 2)
	want := us.Produce(t, c.topic, kafkatest.Workload{Records: 1_000, Partitions: 2})
	us.Stop(t)
	eu.Stop(t)
	m := newMesh(t, oneWay("us", "eu", c.topic), us, eu)
	n := m.start(t, "eu-1")
	p, saw := m.findReason(t, "eu-1", "cluster_unreachable", "eu")
	if saw != "" {
		t.Errorf("the status does not say that eu can't be reached: %s", saw)
	}
	eu.Restart(t)
	us.Restart(t)
	c.verify(t, len(want))
	m.awaitNoReason(t, "eu-1", "cluster_unreachable")
	if !n.Running() {
		t.Error("the node ended")
	}
	t.Logf("it said: %s (%s)", p.Text, p.Hint)
}

// A destination refuses to make one copy, for an application's topic there has a name that Kafka takes for the same one. The other
// topics are copied; the refused one too, when the obstacle is gone.
func TestTopicCreationRefused(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	refused, other := copyOf{us, eu, kafkatest.UniqueTopic(t, "refused")}, copyOf{us, eu, kafkatest.UniqueTopic(t, "refused-not")}
	obstacle := "us_" + refused.topic
	eu.CreateTopic(t, obstacle, 1)
	n := produceEach(t, 500, refused, other)
	m := newMesh(t, oneWay("us", "eu", "refused.*"), sites...)
	m.start(t, "eu-1")
	other.verify(t, n)
	p := m.awaitReason(t, "eu-1", "topic_not_created", refused.topic)
	if !strings.Contains(p.Hint, refused.remote()) || strings.Count(p.Text, "INVALID_TOPIC") > 1 || strings.Contains(p.Text, "\n") {
		t.Errorf("no hint, or words said twice: %+v", p)
	}
	deleteTopic(t, eu, obstacle)
	refused.verify(t, n)
	m.awaitNoReason(t, "eu-1", "topic_not_created")
	t.Logf("it said: %s", p.Text)
}

// A record is larger than the destination takes, in the middle of a stream: its partition stops with a reason, the rest goes on, and
// so does the partition when the limit is raised.
func TestRecordTooLarge(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "large")}
	us.CreateTopic(t, c.topic, 2, "max.message.bytes", "3000000")
	m := newMesh(t, oneWay("us", "eu", c.topic)+"\n    configs: {exclude: [max.message.bytes]}", sites...)
	m.start(t, "eu-1")
	l := startLoad(t, us, c.topic, kafkatest.Workload{Partitions: 2}, 500)
	arrived := startWatch(t, eu, c.remote())
	arrived.awaitMore(t, 200)
	produceOne(t, us, &kgo.Record{Topic: c.topic, Partition: 1, Value: incompressible(2_000_000)})
	p := m.awaitReason(t, "eu-1", "record_too_large", c.topic)
	if !strings.Contains(p.Hint, "max.message.bytes") || !strings.Contains(p.Hint, c.remote()) {
		t.Errorf("no hint: %+v", p)
	}
	arrived.awaitMore(t, 500)
	alterTopic(t, eu, c.remote(), "max.message.bytes", "3000000")
	c.verify(t, l.stop(t)+1)
	m.awaitNoReason(t, "eu-1", "record_too_large")
	t.Logf("it said: %s (%s)", p.Text, p.Hint)
}

// A topic is deleted and made again at the source: its copy stays as it is, and the node says why.
func TestSourceRecreated(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	gone, other := copyOf{us, eu, kafkatest.UniqueTopic(t, "again")}, copyOf{us, eu, kafkatest.UniqueTopic(t, "again-not")}
	n := produceEach(t, 500, gone, other)
	m := newMesh(t, oneWay("us", "eu", "again.*"), sites...)
	m.start(t, "eu-1")
	gone.verify(t, n)
	before := eu.ReadAll(t, gone.remote(), logread.Uncommitted)
	deleteTopic(t, us, gone.topic)
	us.CreateTopic(t, gone.topic, 2)
	us.Produce(t, gone.topic, kafkatest.Workload{Seed: 5, Records: 700, Partitions: 2})
	p := m.awaitReason(t, "eu-1", "source_recreated", gone.topic)
	more := us.Produce(t, other.topic, kafkatest.Workload{Seed: 6, Records: 500, Partitions: 2})
	other.verify(t, n+len(more))
	if after := eu.ReadAll(t, gone.remote(), logread.Uncommitted); len(after) != len(before) {
		t.Errorf("the copy has %d records, and had %d", len(after), len(before))
	}
	t.Logf("it said: %s (%s)", p.Text, p.Hint)
}

// The copy is deleted at the destination: the node says so and does not make it again on its own.
func TestCopyDeleted(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "dropped")}
	n := produceEach(t, 500, c)
	m := newMesh(t, oneWay("us", "eu", c.topic), sites...)
	m.start(t, "eu-1")
	c.verify(t, n)
	deleteTopic(t, eu, c.remote())
	p := m.awaitReason(t, "eu-1", "destination_missing", c.topic)
	if got := layout(t, eu, c.remote()); len(got) > 0 {
		t.Errorf("it is there again, with %d partitions", len(got))
	}
	t.Logf("it said: %s (%s)", p.Text, p.Hint)
}

// The progress topic is lost under load: what was copied is never copied again from the start.
func TestProgressLost(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	us.alias = "forgetful" // its progress is a topic of its own
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "lost")}
	us.CreateTopic(t, c.topic, 4)
	m := newMesh(t, oneWay(us.alias, "eu", c.topic), sites...)
	first := m.start(t, "eu-1")
	l := startLoad(t, us, c.topic, kafkatest.Workload{Partitions: 4}, 1_000)
	startWatch(t, eu, c.remote()).awaitMore(t, 1_000)
	deleteTopic(t, eu, "meshd.progress."+us.alias)
	l.stop(t)
	first.stop(t)
	m.start(t, "eu-1")
	p := m.awaitReason(t, "eu-1", "resume_point_lost", c.topic)
	report, err := validate.Copy(t.Context(), us.Client(t), eu.Client(t), c.topic, c.remote())
	if err != nil {
		t.Fatal(err)
	}
	if only := (validate.Counts{validate.Lost: report.Counts[validate.Lost]}); report.Counts != only {
		t.Errorf("more than missing: %s", report)
	}
	t.Logf("%s; it said: %s (%s)", report.Counts, p.Text, p.Hint)
}

// Topics that look like copies but were made by an application are neither read nor written, and named.
func TestLookAlikes(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "alike")}
	alone := "us." + kafkatest.UniqueTopic(t, "alike-alone") // no topic of that name at us
	n := produceEach(t, 300, c)
	for _, topic := range []string{c.remote(), alone} {
		eu.CreateTopic(t, topic, 1)
		eu.Produce(t, topic, kafkatest.Workload{Records: 10, Partitions: 1})
	}
	bystander := copyOf{eu, us, kafkatest.UniqueTopic(t, "alike-by")}
	m := newMesh(t, link("us, eu", "(us[.])?alike.*"), sites...)
	m.startAll(t)
	if k := produceEach(t, 300, bystander); k != n {
		t.Fatal(k)
	}
	bystander.verify(t, n)
	m.awaitReason(t, "eu-1", "unclaimed", c.remote())
	p := m.awaitReason(t, "us-1", "unclaimed", alone)
	for _, topic := range []string{c.remote(), alone} {
		if got := len(eu.ReadAll(t, topic, logread.Uncommitted)); got != 10 {
			t.Errorf("%s has %d records, not the 10 of its application", topic, got)
		}
		if got := layout(t, us, "eu."+topic); len(got) > 0 {
			t.Errorf("eu.%s was made", topic)
		}
	}
	t.Logf("it said: %s", p.Text)
}

// produceEach makes the source of each copy, with two partitions, and fills it.
func produceEach(t *testing.T, n int, copies ...copyOf) int {
	t.Helper()
	for i, c := range copies {
		c.from.CreateTopic(t, c.topic, 2)
		c.from.Produce(t, c.topic, kafkatest.Workload{Seed: uint64(i), Records: n, Partitions: 2})
	}
	return n
}

func produceOne(t *testing.T, s *site, r *kgo.Record) {
	t.Helper()
	client := s.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(4<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// incompressible is bytes that no codec makes much shorter.
func incompressible(n int) []byte {
	b := make([]byte, n)
	x := uint64(88172645463325252) // xorshift64
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

// deleteTopic returns when the topic is gone from the cluster's metadata, and may be made again: with ZooKeeper that takes longer.
func deleteTopic(t *testing.T, s *site, topic string) {
	t.Helper()
	rs, err := kadm.NewClient(s.Client(t)).DeleteTopics(t.Context(), topic)
	if err == nil {
		err = rs.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	await(t, fmt.Sprintf("%s to be gone from %s", topic, s.alias), func() (string, bool) {
		n := len(layout(t, s, topic))
		rs, err := kadm.NewClient(s.Client(t)).ValidateCreateTopics(t.Context(), 1, 1, nil, topic)
		if err == nil {
			err = rs.Error()
		}
		return fmt.Sprintf("%d partitions, %v", n, err), n == 0 && !errors.Is(err, kerr.TopicAlreadyExists)
	})
}
