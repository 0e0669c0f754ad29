package writers

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
	"github.com/meshd/meshd/topology"
)

// lossy is a topic of which an unclean election takes records that were acknowledged: one that lies on brokers 2 and 3.
type lossy struct {
	way
	*owner
	feed  *feed
	topic string // at the source
	loses string // the topic that loses, which lies on the cluster of three
}

// uncleanElection has several topics live through one such election.
func uncleanElection(t *testing.T, c *kafkatest.Cluster) {
	idle, writing := lossyCopy(t, c), lossyCopy(t, c)
	stops, goesOn := lossySource(t, c, "stop"), lossySource(t, c, "continue")
	all := []*lossy{idle, writing, stops, goesOn}
	c.Stop(t, 3)
	for _, l := range all {
		awaitISR(t, c, l.loses, 1)
		l.awaitNext(l.topic, 0, l.feed.add(100)) // which broker 3 does not have
	}
	c.Stop(t, 2)
	writing.feed.add(100)
	c.Launch(t, 3)
	for _, l := range all {
		await(t, "an unclean election of broker 3 for "+l.loses, func() (string, bool) {
			leader, isr := seen(t, c, l.loses)
			return fmt.Sprintf("leader %d, in sync %v", leader, isr), leader == 3
		})
	}
	recovered := map[string]*lossy{}
	for name, l := range map[string]*lossy{"DestinationWhileWriting": writing, "DestinationWhileIdle": idle} {
		if t.Run(name, func(t *testing.T) { lostAtDestination(t, l) }) {
			recovered[name] = l
		}
	}
	t.Run("SourceStops", func(t *testing.T) { lostAtSource(t, stops) })
	t.Run("SourceGoesOn", func(t *testing.T) { lostAtSourceGoesOn(t, goesOn) })
	c.Launch(t, 2)
	awaitISR(t, c, idle.loses, 2)
	for name, l := range recovered {
		t.Run(name+"ThenUp", func(t *testing.T) {
			l.in(t)
			l.awaitNext(l.topic, 0, l.feed.add(100))
			l.same(t, l.topic)
		})
	}
}

func lossyCopy(t *testing.T, c *kafkatest.Cluster) *lossy {
	t.Helper()
	l := &lossy{way: one(t, source(t), c)}
	l.topic = l.topics[0]
	l.loses = l.remote(l.topic)
	l.feed = l.copied(t, []int32{2, 3})[0]
	return l.run(t, c)
}

func lossySource(t *testing.T, c *kafkatest.Cluster, onGap string) *lossy {
	t.Helper()
	w, f := reversed(t, c, 2, 3)
	w.more = "    on_gap: " + onGap
	l := &lossy{way: w, feed: f, topic: w.topics[0], loses: w.topics[0]}
	return l.run(t, c)
}

// run starts the owner and has it copy something that both brokers have.
func (l *lossy) run(t *testing.T, c *kafkatest.Cluster) *lossy {
	t.Helper()
	set(t, c, l.loses, "unclean.leader.election.enable", "true")
	l.owner = l.start(t, "eu-1")
	l.awaitNext(l.topic, 0, l.feed.add(100))
	return l
}

// Writers, point 5: records that the destination acknowledged and lost are copied again, also where nothing new comes that would show it.
func lostAtDestination(t *testing.T, l *lossy) {
	l.in(t)
	l.same(t, l.topic)
	await(t, "the loss to be counted", func() (string, bool) {
		p, _ := l.part(l.topic, 0)
		return l.told(), p.Stats.Recopied >= 100
	})
	if !strings.Contains(l.log.String(), "unclean.leader.election.enable") {
		t.Error("the log does not say what took the records")
	}
}

// reversed is a way out of the cluster.
func reversed(t *testing.T, c *kafkatest.Cluster, brokers ...int32) (w way, f *feed) {
	t.Helper()
	w = one(t, c, source(t))
	w.origin = "three"
	pin(t, c, w.topics[0], brokers...)
	return w, w.feed(t, w.topics[0])
}

// A source that lost records which were copied: the partition stops, with the offset, and stays so when the log is longer again and after
// a restart.
func lostAtSource(t *testing.T, l *lossy) {
	l.in(t)
	r := l.awaitSays("source_truncated")
	if !strings.Contains(r.Text, "100") {
		t.Errorf("the reason does not name the offset: %s", r.Text)
	}
	t.Logf("it said: %s (%s)", r.Text, r.Hint)
	l.feed.add(150)
	l.awaitSays("source_truncated")
	l.Close()
	heir := l.start(t, "eu-2")
	r = heir.awaitSays("source_truncated")
	t.Logf("after a restart: %s (%s)", r.Text, r.Hint)
}

// The same where the topology says to go on.
func lostAtSourceGoesOn(t *testing.T, l *lossy) {
	l.in(t)
	l.feed.add(150)
	holds(t, l.way, l.topic, l.feed.n)
	if !strings.Contains(l.log.String(), "truncated") {
		t.Errorf("the log does not speak of it: %s", l.told())
	}
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
		return strconv.Itoa(len(got)), len(got) >= n
	})
	for value, times := range got {
		if times > 1 {
			t.Errorf("%q is there %d times", value, times)
		}
	}
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
		end := int64(100 + 2*(i+1)) // the record and the marker
		awaitEpochBegins(t, c, topic, end-1)
		for n := range 2 { // each takes over what the one before saved: a clean end would save a place before the marker
			o := w.start(t, fmt.Sprintf("eu-%d%d", i, n))
			o.awaitNext(topic, 0, end)
			if said := o.says(); len(said) > 0 {
				t.Errorf("restart %d behind marker %d: %v", n, i, said)
			}
			awaitSaved(t, w, topic, end)
		}
	}
	o := w.start(t, "eu-9")
	o.awaitNext(topic, 0, f.add(100))
	w.same(t, topic)
}

// awaitSaved waits until the progress topic holds a place.
func awaitSaved(t *testing.T, w way, topic string, next int64) {
	t.Helper()
	await(t, fmt.Sprintf("progress up to %d", next), func() (string, bool) {
		var last checkpoint.Progress
		for _, r := range w.to.ReadAll(t, checkpoint.ProgressTopic(topology.Alias(w.origin)), logread.Uncommitted) {
			if string(r.Key) == checkpoint.PartitionKey(topic, 0) {
				var err error
				last, err = checkpoint.DecodeProgress(r.Value)
				must(t, err)
			}
		}
		return fmt.Sprintf("%+v", last), int64(last.Source) == next
	})
}

// awaitEpochBegins waits until the leader's own epoch begins at an offset, which is that of the marker.
func awaitEpochBegins(t *testing.T, c *kafkatest.Cluster, topic string, at int64) {
	t.Helper()
	await(t, fmt.Sprintf("a leader epoch that begins at offset %d", at), func() (string, bool) {
		md, err := admin(t, c).Metadata(t.Context(), topic)
		must(t, err)
		var before kadm.OffsetForLeaderEpochRequest
		before.Add(topic, 0, md.Topics[topic].Partitions[0].LeaderEpoch-1)
		ends, err := admin(t, c).OffsetForLeaderEpoch(t.Context(), before)
		must(t, err)
		return fmt.Sprintf("%+v of %+v", ends, before), ends[topic][0].EndOffset == at
	})
}

// endOf is the end of a log as consumers see it. A leader does not know it at once.
func endOf(t *testing.T, c *kafkatest.Cluster, topic string) (end int64) {
	t.Helper()
	await(t, "the end of "+topic, func() (string, bool) {
		ends, err := admin(t, c).ListEndOffsets(t.Context(), topic)
		must(t, err)
		at, _ := ends.Lookup(topic, 0)
		end = at.Offset
		return fmt.Sprint(at.Err), at.Err == nil
	})
	return end
}
