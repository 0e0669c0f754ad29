package writers

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/kafkatest"
)

// What needs several brokers, at the destination or at the source. A cluster of three costs too much for each to have its own, and a
// broker's restart too.
func TestThreeBrokers(t *testing.T) {
	kafkatest.RealOnly(t, "kfake has no replicas")
	three := threeBrokers(t)
	t.Run("StoppedFollowerInSync", func(t *testing.T) { stoppedFollower(t, three) })
	t.Run("MarkerOfLaterEpochAtSource", func(t *testing.T) { markerOfLaterEpoch(t, three) })
	t.Run("TakeOverWithABrokerDown", func(t *testing.T) { brokerDown(t, three) })
	t.Run("UncleanElection", func(t *testing.T) { uncleanElection(t, three) })
}

// threeBrokers is a cluster whose own topics and meshd's lie on broker 1, so that the others may come and go.
func threeBrokers(t *testing.T) *kafkatest.Cluster {
	t.Helper()
	c := kafkatest.Start(t, "eu", kafkatest.WithBrokers(3), kafkatest.WithProperties(map[string]string{
		"broker.session.timeout.ms": "10000", "auto.leader.rebalance.enable": "false",
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

// seen is who leads partition 0 of a topic, and who is in sync.
func seen(t *testing.T, c *kafkatest.Cluster, topic string) (leader int32, isr []int32) {
	t.Helper()
	md, err := admin(t, c).Metadata(t.Context(), topic)
	must(t, err)
	x := md.Topics[topic].Partitions[0]
	return x.Leader, x.ISR
}

// awaitISR waits until partition 0 of a topic has so many replicas in sync.
func awaitISR(t *testing.T, c *kafkatest.Cluster, topic string, n int) {
	t.Helper()
	await(t, fmt.Sprintf("%d replicas of %s in sync", n, topic), func() (string, bool) {
		leader, isr := seen(t, c, topic)
		return fmt.Sprintf("leader %d, in sync %v", leader, isr), len(isr) == n
	})
}

// Writers, point 2: a follower that is in sync and stopped keeps the high watermark where it is. What a zombie had written by then lies
// before the marker, and is found; what comes later is refused.
func stoppedFollower(t *testing.T, c *kafkatest.Cluster) {
	w := one(t, source(t), c)
	topic, remote := w.topics[0], w.remote(w.topics[0])
	f := w.copied(t, []int32{2, 1, 3})[0]
	set(t, c, remote, "min.insync.replicas", "2")
	door := openDoor(t, c, 3) // nobody is to wait for its silence
	through, err := kgo.NewClient(append(c.Opts(), kgo.SeedBrokers(openDoor(t, c, 3).seeds...))...)
	must(t, err)
	t.Cleanup(through.Close)
	clients.Store([2]any{t, c}, through)
	old := w.startBehind(t, "eu-1", door.seeds)
	old.awaitNext(topic, 0, f.add(100))

	c.Signal(t, syscall.SIGSTOP, 3)
	stopped := true
	wake := func() {
		if stopped {
			stopped = false
			c.Signal(t, syscall.SIGCONT, 3)
		}
	}
	defer wake()
	before := lastSequence(t, c, remote, old.writer(topic, 0))
	f.add(100)
	await(t, "the old owner's batch in the leader's log", func() (string, bool) {
		now := lastSequence(t, c, remote, old.writer(topic, 0))
		return fmt.Sprintf("last sequence %d, before %d; %s", now, before, old.told()), now > before
	})
	door.hold()
	f.add(100)

	heir := w.start(t, "eu-2") // which meets the stopped broker, too
	await(t, "the leader to know the heir's epoch", func() (string, bool) {
		all := producers(t, c, remote)
		return fmt.Sprintf("%+v; %s", all, heir.told()), len(all) == 1 && fmt.Sprintf("%d/%d", all[0].ProducerID, all[0].ProducerEpoch) != old.writer(topic, 0)
	})
	p, _ := heir.part(topic, 0)
	if _, isr := seen(t, c, remote); len(isr) < 3 {
		t.Logf("the leader went on without the stopped follower, so this proves less: in sync %v", isr)
	} else if p.State != flow.Opening {
		t.Errorf("the fence was believed before its marker was below the high watermark: %s", heir.told())
	}
	wake()
	heir.awaitNext(topic, 0, 400)
	door.release()
	old.awaitSays("taken_over")
	heir.awaitNext(topic, 0, f.add(100))
	for _, a := range door.said(remote) {
		if a.late && a.code != kerr.InvalidProducerEpoch.Code {
			t.Errorf("a batch of the zombie that was held back was answered with %v", kerr.ErrorForCode(a.code))
		}
	}
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

// Writers, point 2: a partition without a leader, and one with too few replicas in sync to take a marker, are set apart at a take-over.
// The others of their shards open and go on, and these when they can.
func brokerDown(t *testing.T, c *kafkatest.Cluster) {
	leaderless, few := together(t, source(t), c, 2), together(t, source(t), c, 2)
	leaderlessFeeds, fewFeeds := leaderless.copied(t, []int32{3}, []int32{2}), few.copied(t, []int32{2, 3}, []int32{2, 1})
	set(t, c, few.remote(few.topics[0]), "min.insync.replicas", "2")
	c.Stop(t, 3)
	awaitISR(t, c, few.remote(few.topics[0]), 1)
	for _, test := range []struct {
		name, code string
		way        way
		feeds      []*feed
	}{
		{"NoLeader", "no_leader", leaderless, leaderlessFeeds},
		{"BelowMinInsync", "too_few_replicas", few, fewFeeds},
	} {
		test.feeds[0].add(100)
		heir := test.way.start(t, "eu-2")
		t.Run(test.name, func(t *testing.T) {
			heir.in(t)
			heir.awaitNext(test.way.topics[1], 0, test.feeds[1].add(100))
			heir.awaitSays(test.code)
			heir.awaitNext(test.way.topics[1], 0, test.feeds[1].add(100))
		})
		heir = test.way.start(t, "eu-3") // which meets what the first take-over left
		t.Run(test.name+"Again", func(t *testing.T) {
			heir.in(t)
			heir.awaitNext(test.way.topics[1], 0, test.feeds[1].add(100))
			heir.awaitSays(test.code)
		})
		defer t.Run(test.name+"ThenUp", func(t *testing.T) {
			heir.in(t)
			heir.awaitNext(test.way.topics[0], 0, test.feeds[0].add(100))
			test.way.same(t, test.way.topics...)
		})
	}
	c.Launch(t, 3)
}
