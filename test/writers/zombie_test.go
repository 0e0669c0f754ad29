package writers

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/kafkatest"
)

// Writers, point 2: a batch that was under way when its owner was replaced, and reaches the broker long after, is refused.
func TestZombiesBatchIsRefused(t *testing.T) {
	kafkatest.RealOnly(t, "real brokers are what is to refuse it")
	w := one(t, source(t), plain(t))
	z := w.zombieOf(t, w.topics[0], time.Time{})
	heir := w.start(t, "eu-2")
	heir.awaitNext(w.topics[0], 0, z.next)
	z.wakes(t, kerr.InvalidProducerEpoch)
	heir.awaitNext(w.topics[0], 0, z.feed.add(100))
	w.same(t, w.topics...)
}

// plain is a destination that is as brokers are by default.
func plain(t testing.TB) *kafkatest.Cluster {
	t.Helper()
	return kafkatest.Shared(t, "eu", kafkatest.WithProperties(map[string]string{"broker.session.timeout.ms": "60000"}))
}

// zombie is an owner which stands still with a batch under way.
type zombie struct {
	*owner
	door  *door
	feed  *feed
	topic string
	next  int64 // behind what is in that batch
}

// zombieOf starts an owner, has it copy records of some time, and stops its next batch on the way.
func (w way) zombieOf(t *testing.T, topic string, stamp time.Time) *zombie {
	t.Helper()
	z := w.alive(t, topic, stamp)
	z.stall()
	return z
}

// alive is an owner that is to become a zombie.
func (w way) alive(t *testing.T, topic string, stamp time.Time) *zombie {
	t.Helper()
	z := &zombie{door: openDoor(t, w.to), feed: w.feed(t, topic), topic: topic}
	z.feed.stamp = stamp
	z.owner = w.startBehind(t, "eu-1", z.door.seeds)
	z.awaitNext(topic, 0, z.feed.add(100))
	return z
}

// stall stops the next batch on the way.
func (z *zombie) stall() {
	z.door.hold()
	z.next = z.feed.add(100)
	z.door.awaitHeld(z.way.remote(z.topic))
}

// wakes lets the batch go on, which is to be refused, and its owner is to stand down.
func (z *zombie) wakes(t *testing.T, want *kerr.Error) {
	t.Helper()
	z.door.release()
	if code := z.door.awaitLate(z.way.remote(z.topic)); code != want.Code {
		t.Errorf("the zombie's batch was answered with %d (%v), not %s", code, kerr.ErrorForCode(code), want.Message)
	}
	z.awaitSays("taken_over")
	for _, p := range z.Status().Pairs {
		for _, s := range p.Shards {
			if s.State != flow.Fenced {
				t.Errorf("shard %d of the zombie is %s", s.Number, s.State)
			}
		}
	}
}
