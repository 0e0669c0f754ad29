package writers

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/kafkatest"
)

// What needs several brokers at the destination, or at the source. They share a cluster.
func TestThreeBrokers(t *testing.T) {
	kafkatest.RealOnly(t, "kfake has no replicas")
	three := threeBrokers(t)
	t.Run("StoppedFollowerInSync", func(t *testing.T) { stoppedFollower(t, three) })
	t.Run("NoLeaderAtTakeOver", func(t *testing.T) { noLeader(t, three) })
	t.Run("BelowMinInsyncAtTakeOver", func(t *testing.T) { belowMinInsync(t, three) })
	t.Run("UncleanElectionWhileIdle", func(t *testing.T) { uncleanDestination(t, three, false) })
	t.Run("UncleanElectionWhileWriting", func(t *testing.T) { uncleanDestination(t, three, true) })
	t.Run("MarkerOfLaterEpochAtSource", func(t *testing.T) { markerOfLaterEpoch(t, three) })
	t.Run("TruncatedSourceStops", func(t *testing.T) { truncatedSource(t, three, "stop") })
	t.Run("TruncatedSourceGoesOn", func(t *testing.T) { truncatedSource(t, three, "continue") })
}

// threeBrokers is a cluster whose own topics and meshd's lie on broker 1, so that the others may come and go. Its brokers believe for long
// in one that is silent.
func threeBrokers(t *testing.T) *kafkatest.Cluster {
	t.Helper()
	c := kafkatest.Start(t, "eu", kafkatest.WithBrokers(3), kafkatest.WithProperties(map[string]string{
		"broker.session.timeout.ms": "600000", "replica.lag.time.max.ms": "600000", "auto.leader.rebalance.enable": "false",
		"transaction.state.log.replication.factor": "1", "transaction.state.log.min.isr": "1", "transaction.state.log.num.partitions": "1",
		"default.replication.factor": "1", "min.insync.replicas": "1",
	}))
	w := one(t, source(t), c)
	o := w.start(t, "eu-0")
	o.awaitNext(w.topics[0], 0, w.feed(t, w.topics[0]).add(10))
	topics, err := admin(t, c).ListTopicsWithInternal(t.Context())
	must(t, err)
	for _, name := range topics.Names() {
		if strings.HasPrefix(name, "meshd.") || name == "__transaction_state" {
			pin(t, c, name, 1)
		}
	}
	o.Close()
	return c
}

// copied starts an owner that copies 100 records of each topic, ends it, and has the copies lie on brokers.
func (w way) copied(t *testing.T, lie ...[]int32) (feeds []*feed) {
	t.Helper()
	o := w.start(t, "eu-1")
	for i, topic := range w.topics {
		f := w.feed(t, topic)
		o.awaitNext(topic, 0, f.add(100))
		pin(t, w.to, w.remote(topic), lie[i]...)
		feeds = append(feeds, f)
	}
	o.Close()
	return feeds
}

// awaitISR waits until partition 0 of a topic has so many replicas in sync.
func awaitISR(t *testing.T, c *kafkatest.Cluster, topic string, n int) {
	t.Helper()
	await(t, fmt.Sprintf("%d replicas of %s in sync", n, topic), func() (string, bool) {
		md, err := admin(t, c).Metadata(t.Context(), topic)
		must(t, err)
		x := md.Topics[topic].Partitions[0]
		return fmt.Sprintf("leader %d, in sync %v", x.Leader, x.ISR), len(x.ISR) == n
	})
}

// Writers, point 2: a follower that is in sync and stopped keeps the high watermark where it is. What a zombie had written by then lies
// before the marker, and is found; what comes later is refused.
func stoppedFollower(t *testing.T, c *kafkatest.Cluster) {
	w := one(t, source(t), c)
	topic, remote := w.topics[0], w.remote(w.topics[0])
	f := w.copied(t, []int32{2, 1, 3})[0]
	set(t, c, remote, "min.insync.replicas", "2")
	door := openDoor(t, c)
	old := w.startBehind(t, "eu-1", door.seeds)
	old.awaitNext(topic, 0, f.add(100))

	c.Signal(t, syscall.SIGSTOP, 3)
	stopped := true
	defer func() {
		if stopped {
			c.Signal(t, syscall.SIGCONT, 3)
		}
	}()
	before := lastSequence(t, c, remote, old.writer(topic, 0))
	f.add(100)
	await(t, "the old owner's batch in the leader's log", func() (string, bool) {
		now := lastSequence(t, c, remote, old.writer(topic, 0))
		return fmt.Sprintf("last sequence %d, before %d", now, before), now > before
	})
	door.hold()
	f.add(100)
	door.awaitHeld(remote)

	heir := w.start(t, "eu-2")
	await(t, "the leader to know the heir's epoch", func() (string, bool) {
		all := producers(t, c, remote)
		for _, p := range all {
			if fmt.Sprintf("%d/%d", p.ProducerID, p.ProducerEpoch) == heir.writer(topic, 0) {
				return "", true
			}
		}
		return fmt.Sprintf("%+v; %s", all, heir.told()), false
	})
	if p, _ := heir.part(topic, 0); p.State != flow.Opening {
		t.Errorf("the fence was believed before its marker was below the high watermark: %s", heir.told())
	}
	c.Signal(t, syscall.SIGCONT, 3)
	stopped = false
	heir.awaitNext(topic, 0, 400)
	door.release()
	if code := door.awaitLate(remote); code != kerr.InvalidProducerEpoch.Code {
		t.Errorf("the zombie's later batch was answered with %v", kerr.ErrorForCode(code))
	}
	heir.awaitNext(topic, 0, f.add(100))
	w.same(t, topic)
}

func lastSequence(t *testing.T, c *kafkatest.Cluster, topic, writer string) int32 {
	t.Helper()
	for _, p := range producers(t, c, topic) {
		if fmt.Sprintf("%d/%d", p.ProducerID, p.ProducerEpoch) == writer {
			return p.LastSequence
		}
	}
	return -1
}

// Writers, point 2: a partition without a leader is set apart at a take-over. The others of its shard open and go on.
func noLeader(t *testing.T, c *kafkatest.Cluster) {
	w := together(t, source(t), c, 2)
	w.more = "    replication_factor: 1"
	feeds := w.copied(t, []int32{3}, []int32{2})
	c.Stop(t, 3)
	awaitDown := true
	defer func() {
		if awaitDown {
			c.Launch(t, 3)
		}
	}()
	feeds[0].add(100)
	next := feeds[1].add(100)
	heir := w.start(t, "eu-2")
	heir.awaitNext(w.topics[1], 0, next)
	heir.awaitSays("no_leader")
	awaitDown = false
	c.Launch(t, 3)
	heir.awaitNext(w.topics[0], 0, feeds[0].add(100))
	w.same(t, w.topics...)
}

// Writers, point 2: a partition that has too few replicas in sync takes no marker. The others of its shard open and go on.
func belowMinInsync(t *testing.T, c *kafkatest.Cluster) {
	w := together(t, source(t), c, 2)
	feeds := w.copied(t, []int32{2, 3}, []int32{2, 1})
	set(t, c, w.remote(w.topics[0]), "min.insync.replicas", "2")
	c.Stop(t, 3)
	down := true
	defer func() {
		if down {
			c.Launch(t, 3)
		}
	}()
	awaitISR(t, c, w.remote(w.topics[0]), 1)
	feeds[0].add(100)
	next := feeds[1].add(100)
	heir := w.start(t, "eu-2")
	heir.awaitNext(w.topics[1], 0, next)
	if len(heir.says()) == 0 {
		t.Errorf("nothing is said of the partition that stands still: %s", heir.told())
	}
	down = false
	c.Launch(t, 3)
	heir.awaitNext(w.topics[0], 0, feeds[0].add(100))
	w.same(t, w.topics...)
}

// Writers, point 5: an unclean election at the destination takes acknowledged records away. They are copied again, also where nothing new
// comes that would show it.
func uncleanDestination(t *testing.T, c *kafkatest.Cluster, writing bool) {
	w := one(t, source(t), c)
	topic, remote := w.topics[0], w.remote(w.topics[0])
	f := w.copied(t, []int32{2, 3})[0]
	set(t, c, remote, "unclean.leader.election.enable", "true")
	o := w.start(t, "eu-1")
	o.awaitNext(topic, 0, f.add(100))
	loseLast(t, c, remote, func() { o.awaitNext(topic, 0, f.add(100)) }, func() {
		if writing {
			f.add(100)
		}
	})
	w.same(t, topic)
	await(t, "the loss to be counted", func() (string, bool) {
		p, _ := o.part(topic, 0)
		return o.told(), p.Stats.Recopied >= 100
	})
	c.Launch(t, 2)
	awaitISR(t, c, remote, 2)
	o.awaitNext(topic, 0, f.add(100))
	w.same(t, topic)
}

// loseLast has a topic on brokers 2 and 3 lose what do adds to it: broker 3 does not have it, and is elected. Broker 2 stays down. What
// then does is done while there is no leader.
func loseLast(t *testing.T, c *kafkatest.Cluster, topic string, do, then func()) {
	t.Helper()
	awaitISR(t, c, topic, 2)
	c.Stop(t, 3)
	awaitISR(t, c, topic, 1)
	do()
	c.Stop(t, 2)
	then()
	c.Launch(t, 3)
	await(t, "an unclean election of broker 3", func() (string, bool) {
		md, err := admin(t, c).Metadata(t.Context(), topic)
		must(t, err)
		x := md.Topics[topic].Partitions[0]
		return fmt.Sprintf("leader %d, in sync %v", x.Leader, x.ISR), x.Leader == 3
	})
}

// reversed is a way out of the cluster.
func reversed(t *testing.T, c *kafkatest.Cluster, brokers ...int32) (w way, f *feed) {
	t.Helper()
	w = one(t, c, source(t))
	w.origin = "three"
	pin(t, c, w.topics[0], brokers...)
	return w, w.feed(t, w.topics[0])
}

// A restart behind a marker that has a later leader epoch than the last record is no truncation.
func markerOfLaterEpoch(t *testing.T, c *kafkatest.Cluster) {
	w, f := reversed(t, c, 2, 3)
	topic := w.topics[0]
	f.add(100)
	tx := c.Client(t, kgo.TransactionalID(topic), kgo.DefaultProduceTopic(topic))
	for i, lead := range [][]int32{{3, 2}, {2, 3}} {
		must(t, tx.BeginTransaction())
		must(t, tx.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprintf("in transaction %d", i))).FirstErr())
		pin(t, c, topic, lead...) // the marker is written by another leader than the record
		must(t, tx.EndTransaction(t.Context(), kgo.TransactionEndTry(i == 0)))
		end := endOf(t, c, topic)
		for n := range 2 {
			o := w.start(t, fmt.Sprintf("eu-%d%d", i, n))
			o.awaitNext(topic, 0, end)
			if said := o.says(); len(said) > 0 {
				t.Errorf("restart %d behind marker %d: %v", n, i, said)
			}
			o.Close()
		}
	}
	o := w.start(t, "eu-9")
	o.awaitNext(topic, 0, f.add(100))
	w.same(t, topic)
}

func endOf(t *testing.T, c *kafkatest.Cluster, topic string) int64 {
	t.Helper()
	ends, err := admin(t, c).ListEndOffsets(t.Context(), topic)
	must(t, err)
	must(t, ends.Error())
	end, _ := ends.Lookup(topic, 0)
	return end.Offset
}

// A source that lost records which were copied is noticed: the partition stops with the offset, or goes on behind it where the topology
// says so.
func truncatedSource(t *testing.T, c *kafkatest.Cluster, onGap string) {
	w, f := reversed(t, c, 2, 3)
	w.more = "    on_gap: " + onGap
	topic := w.topics[0]
	set(t, c, topic, "unclean.leader.election.enable", "true")
	o := w.start(t, "eu-1")
	o.awaitNext(topic, 0, f.add(100))
	loseLast(t, c, topic, func() { o.awaitNext(topic, 0, f.add(100)) }, func() {})
	if onGap == "stop" {
		r := o.awaitSays("source_truncated")
		if !strings.Contains(r.Text, "100") {
			t.Errorf("the reason does not name the offset: %s", r.Text)
		}
		t.Logf("it said: %s (%s)", r.Text, r.Hint)
	}
	f.add(150) // the log is longer now than what was read of it
	if onGap == "stop" {
		o.awaitSays("source_truncated")
		o.Close()
		o = w.start(t, "eu-2")
		o.awaitSays("source_truncated")
	} else {
		holds(t, w, topic, f.n)
	}
	c.Launch(t, 2)
	awaitISR(t, c, topic, 2)
}

// holds waits until a copy holds every one of n records of a feed, and fails if one is there twice.
func holds(t *testing.T, w way, topic string, n int) {
	t.Helper()
	cl := w.to.Client(t, kgo.ConsumeTopics(w.remote(topic)), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	got := map[string]int{}
	await(t, fmt.Sprintf("%d records in the copy", n), func() (string, bool) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) { got[string(r.Value)]++ })
		return fmt.Sprintf("%d", len(got)), len(got) >= n
	})
	for value, times := range got {
		if times > 1 {
			t.Errorf("%q is there %d times", value, times)
		}
	}
}
