package writers

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/test/validate"
	"github.com/meshd/meshd/topology"
)

// A destination that forgets soon: transactional ids after seconds, producers as the tests say. They share a cluster.
func TestForgetfulDestination(t *testing.T) {
	kafkatest.RealOnly(t, "kfake forgets no producer")
	c := kafkatest.Start(t, "eu", kafkatest.WithProperties(map[string]string{
		"producer.id.expiration.check.interval.ms": "500", "producer.id.expiration.ms": "3600000",
		"transactional.id.expiration.ms": "4000", "transaction.remove.expired.transaction.cleanup.interval.ms": "500",
	}))
	t.Run("OldRecordsWhileTheyFlow", func(t *testing.T) { oldRecordsFlow(t, c) })
	t.Run("OldRecordsThenIdle", func(t *testing.T) { oldRecordsIdle(t, c) })
	t.Run("TransactionalIDIsRenewed", func(t *testing.T) { renewed(t, c) })
	t.Run("TransactionalIDExpired", func(t *testing.T) { expired(t, c) })
	forgetAfter(t, c, 4*time.Second)
	t.Run("IdleForLongerThanTheMemory", func(t *testing.T) { idle(t, c) })
	t.Run("ZombieAfterTheMemory", func(t *testing.T) { idleZombie(t, c) })
}

// forgetAfter sets for how long the brokers remember a producer.
func forgetAfter(t *testing.T, c *kafkatest.Cluster, d time.Duration) {
	t.Helper()
	rs, err := admin(t, c).AlterBrokerConfigs(t.Context(), []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "producer.id.expiration.ms", Value: new(strconv.FormatInt(d.Milliseconds(), 10))},
	})
	must(t, err)
	for _, r := range rs {
		must(t, r.Err)
	}
}

// remembers says whether the leader of a copy knows the present writer.
func (o *owner) remembers(topic string) bool {
	o.t.Helper()
	for _, p := range producers(o.t, o.way.to, o.way.remote(topic)) {
		if fmt.Sprintf("%d/%d", p.ProducerID, p.ProducerEpoch) == o.writer(topic, 0) {
			return true
		}
	}
	return false
}

const twoDays = 48 * time.Hour

// Writers, point 4: at the next check a broker forgets a producer whose last record is old, and then takes any epoch. That is said; and
// what a zombie writes in such a moment is found and named.
func oldRecordsFlow(t *testing.T, c *kafkatest.Cluster) {
	w := one(t, source(t), c)
	topic := w.topics[0]
	z := w.zombieOf(t, topic, time.Now().Add(-twoDays))
	heir := w.start(t, "eu-2")
	heir.awaitNext(topic, 0, z.next)
	var weak bool
	await(t, "a moment in which the writer is forgotten", func() (string, bool) {
		z.feed.add(10)
		if r, ok := heir.says()["fence_weak"]; ok {
			weak = true
			if !strings.Contains(r.Hint, "producer.id.expiration.ms") {
				t.Errorf("the hint does not say what to do: %+v", r)
			}
		}
		return heir.told(), weak && !heir.remembers(topic)
	})
	z.door.release()
	code := z.door.awaitLate(w.remote(topic))
	t.Logf("the zombie's batch was answered with %v", kerr.ErrorForCode(code))
	next := z.feed.add(10)
	heir.awaitNext(topic, 0, next)
	if code != 0 {
		w.same(t, topic)
		return
	}
	r := heir.awaitSays("zombie_writes")
	t.Logf("it says: %s", r.Text)
	report, err := validate.Copy(t.Context(), client(t, w.from), client(t, w.to), topic, w.remote(topic))
	must(t, err)
	more := report.DestinationRecords - report.SourceRecords // its batch, and what it went on with before it knew
	if p, _ := heir.part(topic, 0); p.Stats.Zombie != more || more < 100 {
		t.Errorf("the zombie wrote %d records, and %d are counted", more, p.Stats.Zombie)
	}
	if report.Counts[validate.Lost]+report.Counts[validate.Different]+report.Counts[validate.Unexpected] > 0 {
		t.Error(report)
	}
}

// The same once the old records are copied: the marker is written again, and nothing gets in.
func oldRecordsIdle(t *testing.T, c *kafkatest.Cluster) {
	w := one(t, source(t), c)
	topic := w.topics[0]
	z := w.zombieOf(t, topic, time.Now().Add(-twoDays))
	heir := w.start(t, "eu-2")
	heir.awaitNext(topic, 0, z.next)
	await(t, "the marker to be written again", func() (string, bool) {
		_, weak := heir.says()["fence_weak"]
		all := producers(t, c, w.remote(topic))
		for _, p := range all {
			if fmt.Sprintf("%d/%d", p.ProducerID, p.ProducerEpoch) == heir.writer(topic, 0) {
				return fmt.Sprintf("%+v; %s", p, heir.told()), !weak && time.Since(time.UnixMilli(p.LastTimestamp)) < time.Hour
			}
		}
		return fmt.Sprintf("%+v; %s", all, heir.told()), false
	})
	z.wakes(t, kerr.InvalidProducerEpoch)
	z.feed.stamp = time.Time{}
	heir.awaitNext(topic, 0, z.feed.add(100))
	w.same(t, topic)
}

// Writers, point 4: a transactional id without transactions expires while its owner writes; so it has some, and keeps its producer id.
func renewed(t *testing.T, c *kafkatest.Cluster) {
	w := one(t, source(t), c)
	topic := w.topics[0]
	f := w.feed(t, topic)
	o := w.start(t, "eu-1")
	o.awaitNext(topic, 0, f.add(100))
	before := o.writer(topic, 0)
	for i := range 3 { // the memory of the coordinator goes by three times
		awaitExpired(t, c, initProducer(t, c, fmt.Sprintf("decoy-%s-%d", topic, i)))
		o.awaitNext(topic, 0, f.add(10))
	}
	o.Close()
	heir := w.start(t, "eu-2")
	heir.awaitNext(topic, 0, f.add(100))
	if after := heir.writer(topic, 0); idOf(before) != idOf(after) {
		t.Errorf("writer %s before, %s after: the id expired", before, after)
	}
	w.same(t, topic)
}

func idOf(writer string) string {
	id, _, _ := strings.Cut(writer, "/")
	return id
}

// initProducer uses a transactional id once.
func initProducer(t *testing.T, c *kafkatest.Cluster, txn string) string {
	t.Helper()
	_, _, err := initOnce(t, c, txn)
	must(t, err)
	return txn
}

func awaitExpired(t *testing.T, c *kafkatest.Cluster, txn string) {
	t.Helper()
	await(t, "transactional id "+txn+" to expire", func() (string, bool) {
		rs, err := admin(t, c).DescribeTransactions(t.Context(), txn)
		if err == nil {
			err = rs[txn].Err
		}
		return fmt.Sprintf("%+v %v", rs, err), errors.Is(err, kerr.TransactionalIDNotFound)
	})
}

func (w way) txnID(topic string) string {
	return "meshd." + w.mesh + "." + w.origin + "->eu." + strconv.Itoa(topology.ShardOf(topic, 0))
}

// Writers, point 4: an id that expired gives its successor another producer id. The old one is shut out by markers of its own.
func expired(t *testing.T, c *kafkatest.Cluster) {
	w := one(t, source(t), c)
	topic := w.topics[0]
	z := w.zombieOf(t, topic, time.Time{})
	before := z.writer(topic, 0)
	z.door.freeze() // it renews nothing
	awaitExpired(t, c, w.txnID(topic))
	heir := w.start(t, "eu-2")
	heir.awaitNext(topic, 0, z.next)
	if after := heir.writer(topic, 0); idOf(before) == idOf(after) {
		t.Fatalf("writer %s before, %s after: the id did not expire", before, after)
	}
	if r, ok := heir.says()["predecessor_unfenced"]; ok {
		t.Errorf("it may write markers, but says %+v", r)
	}
	z.wakes(t, kerr.InvalidProducerEpoch)
	heir.awaitNext(topic, 0, z.feed.add(100))
	w.same(t, topic)
}

// Writers, point 4: a partition that is idle for longer than its leader remembers producers goes on afterwards, under this owner and the
// next.
func idle(t *testing.T, c *kafkatest.Cluster) {
	w := one(t, source(t), c)
	topic := w.topics[0]
	f := w.feed(t, topic)
	o := w.start(t, "eu-1")
	o.awaitNext(topic, 0, f.add(100))
	idleFor(t, o, topic)
	o.awaitNext(topic, 0, f.add(100))
	idleFor(t, o, topic)
	o.Close()
	heir := w.start(t, "eu-2")
	heir.awaitNext(topic, 0, f.add(100))
	idleFor(t, heir, topic)
	heir.awaitNext(topic, 0, f.add(100))
	w.same(t, topic)
}

// idleFor waits until the leader has forgotten a writer that does nothing, or was reminded of it twice.
func idleFor(t *testing.T, o *owner, topic string) {
	t.Helper()
	from := endOf(t, o.way.to, o.way.remote(topic))
	await(t, "the writer to be forgotten or written again", func() (string, bool) {
		end := endOf(t, o.way.to, o.way.remote(topic))
		return fmt.Sprintf("offset %d after %d; %s", end, from, o.told()), end >= from+2 || !o.remembers(topic)
	})
}

// Writers, point 4: a zombie that wakes after the leader's memory of the fence has gone by. The marker is written again in time, and
// nothing gets in.
func idleZombie(t *testing.T, c *kafkatest.Cluster) {
	w := one(t, source(t), c)
	topic := w.topics[0]
	z := w.zombieOf(t, topic, time.Time{})
	heir := w.start(t, "eu-2")
	heir.awaitNext(topic, 0, z.next)
	idleFor(t, heir, topic)
	if !heir.remembers(topic) {
		t.Errorf("the fence was forgotten, and not written again: %s", heir.told())
	}
	z.wakes(t, kerr.InvalidProducerEpoch)
	heir.awaitNext(topic, 0, z.feed.add(100))
	w.same(t, topic)
}
