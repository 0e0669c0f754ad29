package liveness

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const slow = 30 * time.Second // of a test, on a machine that is busy

// following is one that follows a cluster in process, and who writes there.
func following(t *testing.T) (*Liveness, *kafka.Cluster, *kfake.Cluster) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	dialer := &kafka.Dialer{Datacenter: "us", ClientID: "meshd/test"}
	config := topology.Cluster{Alias: "us", Datacenter: "us", Inside: topology.Endpoint{Bootstrap: fake.ListenAddrs()}, RequestTimeout: 2 * time.Second}
	writer, err := dialer.Dial(config, checkpoint.TableWriter()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(writer.Close)
	l := New(dialer, slog.New(slog.DiscardHandler))
	t.Cleanup(l.Close)
	l.Follow(&topology.Topology{Clusters: map[topology.Alias]topology.Cluster{
		"us": config, "eu": {Alias: "eu", Datacenter: "eu"}, "old": {Alias: "old", Datacenter: "us", ReadOnly: true},
	}})
	return l, writer, fake
}

func (l *Liveness) knows(t *testing.T, what string, is func(k placement.Kafka) bool) placement.Kafka {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), slow)
	defer cancel()
	for {
		if k := l.View()["us"]; is(k) {
			return k
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%s: not so in time", what)
		}
	}
}

func TestRegistrationsAndBeats(t *testing.T) {
	l, c, _ := following(t)
	changed, stop := l.Watch()
	defer stop()
	empty := l.knows(t, "read, and nothing there", func(k placement.Kafka) bool { return !k.ReadAt.IsZero() })
	if len(empty.Holders) > 0 || len(l.View()) != 1 {
		t.Errorf("%+v", l.View())
	}
	<-changed

	ctx, cancel := context.WithTimeout(t.Context(), slow)
	defer cancel()
	if err := checkpoint.EnsureOwned(ctx, c, 1, 1, checkpoint.WritersTopic, checkpoint.NodesTopic); err != nil {
		t.Fatal(err)
	}
	shard := topology.Shard{Origin: "eu", Destination: "us", Number: 7}
	register := func(node string, held uint64) int64 {
		seq, err := checkpoint.Register(ctx, c, kafka.ProducerID{ID: 4000, Epoch: int16(held)}, checkpoint.Writer{Origin: "eu", Shard: 7, Node: node, Held: held})
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	beat := func(b checkpoint.Beat) {
		if err := checkpoint.WriteBeat(ctx, c, b); err != nil {
			t.Fatal(err)
		}
	}
	register("us1", 1)
	seq := register("us2", 2)
	first := l.knows(t, "registered", func(k placement.Kafka) bool { return k.Holders[shard].Seq == seq })
	want := placement.Holder{Node: "us2", Epoch: 2, Seq: seq}
	if diff := cmp.Diff(want, first.Holders[shard], cmpopts.IgnoreFields(placement.Holder{}, "Moved")); diff != "" {
		t.Error(diff)
	}
	<-changed

	beat(checkpoint.Beat{Node: "us1", Progress: checkpoint.Shards{"eu.7"}}) // holds it no more
	beat(checkpoint.Beat{Node: "us2", Progress: checkpoint.Shards{"eu.7", "strange"}})
	moved := l.knows(t, "moved", func(k placement.Kafka) bool { return k.Holders[shard].Moved.After(first.Holders[shard].Moved) })
	beat(checkpoint.Beat{Node: "us2", Released: map[string]int64{"eu.7": seq}})
	let := l.knows(t, "released", func(k placement.Kafka) bool { return k.Holders[shard].Released })
	if !let.Holders[shard].Moved.Equal(moved.Holders[shard].Moved) {
		t.Error("to let go is no progress")
	}
}

// A cluster that does not answer grows stale: it opens nothing. One that is not in the topology any more is not shown.
func TestGrowsStaleWithItsCluster(t *testing.T) {
	l, _, fake := following(t)
	l.knows(t, "read", read)
	fake.Close()
	l.knows(t, "stale", stale)
	l.Follow(&topology.Topology{})
	if len(l.View()) > 0 || len(l.Troubles()) > 0 {
		t.Errorf("still followed: %+v", l.View())
	}
}

func read(k placement.Kafka) bool  { return !k.ReadAt.IsZero() }
func stale(k placement.Kafka) bool { return time.Since(k.ReadAt) > placement.Default.Fresh }

// What is known of a cluster outlives an edit of the topology that does not concern it.
func TestFollowsOnThroughAnEdit(t *testing.T) {
	l, c, _ := following(t)
	before := l.knows(t, "read", read)
	l.Follow(&topology.Topology{Clusters: map[topology.Alias]topology.Cluster{"us": c.Config, "new": {Alias: "new", Datacenter: "eu"}}})
	if now := l.View()["us"]; !now.Since.Equal(before.Since) {
		t.Errorf("watched since %v, not since %v", now.Since, before.Since)
	}
}

// A registry of writers that is gone opens nothing: nor does another in its place, nor another process, until an operator decides.
func TestALostRegistryIsNotBegunAnew(t *testing.T) {
	l, c, _ := following(t)
	ctx, cancel := context.WithTimeout(t.Context(), slow)
	defer cancel()
	l.knows(t, "read", read)
	registered(ctx, t, c, "us1")
	registered(ctx, t, c, "us2")
	l.knows(t, "registered", func(k placement.Kafka) bool { return k.Holders[shard].Node == "us2" })
	if _, err := c.Admin.DeleteTopics(ctx, checkpoint.WritersTopic); err != nil {
		t.Fatal(err)
	}
	l.knows(t, "stale without its registry", stale)
	l.lost(t)
	if at, err := c.Locate(ctx, checkpoint.WritersTopic); err != nil || len(at[checkpoint.WritersTopic]) > 0 {
		t.Fatalf("it was made anew: %v %v", at, err)
	}
	if err := checkpoint.EnsureOwned(ctx, c, 1, 1, checkpoint.WritersTopic); err != nil {
		t.Fatal(err)
	}
	l.knows(t, "another registry is not the one that was lost", func(k placement.Kafka) bool { return time.Since(k.ReadAt) > 2*placement.Default.Fresh })
	l.lost(t)
	restarted := also(t, l, c)
	restarted.lost(t)
	if len(restarted.View()) > 0 {
		t.Errorf("shown: %+v", restarted.View())
	}
	restarted.Close()

	if err := checkpoint.Append(ctx, c, &kgo.Record{Topic: checkpoint.TopicsTopic, Key: []byte("!writers"), Value: []byte{}}); err != nil {
		t.Fatal(err)
	}
	decided := also(t, l, c)
	decided.knows(t, "begun anew", func(k placement.Kafka) bool { return read(k) && len(k.Holders) == 0 })
	seq := registered(ctx, t, c, "us3")
	decided.knows(t, "registered anew", func(k placement.Kafka) bool { return k.Holders[shard].Seq == seq && seq == 0 })
	l.lost(t) // who was there before knows of registrations that nobody else does: it has to be started again
}

// The heartbeats alone may begin anew; then the watching does too.
func TestLostHeartbeatsBeginAnew(t *testing.T) {
	l, c, _ := following(t)
	ctx, cancel := context.WithTimeout(t.Context(), slow)
	defer cancel()
	first := l.knows(t, "read", read)
	registered(ctx, t, c, "us1")
	beat(ctx, t, c)
	l.knows(t, "registered", func(k placement.Kafka) bool { return k.Holders[shard].Node == "us1" })
	if _, err := c.Admin.DeleteTopics(ctx, checkpoint.NodesTopic); err != nil {
		t.Fatal(err)
	}
	anew := l.knows(t, "watched anew", func(k placement.Kafka) bool {
		return k.Since.After(first.ReadAt.Add(lookEvery)) && k.Holders[shard].Node == "us1"
	})
	beat(ctx, t, c)
	l.knows(t, "moved", func(k placement.Kafka) bool { return k.Holders[shard].Moved.After(anew.Holders[shard].Moved) })
	if len(l.Troubles()) > 0 {
		t.Error(l.Troubles())
	}
}

// A read that fails makes nobody look alive who was not: the heartbeats from before it are not read again.
func TestOldHeartbeatsAreNotMovement(t *testing.T) {
	l, c, fake := following(t)
	ctx, cancel := context.WithTimeout(t.Context(), slow)
	defer cancel()
	l.knows(t, "read", read)
	seq := registered(ctx, t, c, "us1")
	l.knows(t, "registered", func(k placement.Kafka) bool { return k.Holders[shard].Seq == seq })
	beat(ctx, t, c)
	var before placement.Kafka
	for moved := (time.Time{}); before.ReadAt.Sub(moved) < lookEvery; before = l.View()["us"] { // the beat was read, and then nothing
		moved = before.Holders[shard].Moved
		<-time.After(lookEvery)
	}
	failed := make(chan struct{})
	fake.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		close(failed)
		return refused(req.(*kmsg.ListOffsetsRequest)), nil, true
	})
	select {
	case <-failed:
	case <-ctx.Done():
		t.Fatal("nothing was read")
	}
	after := l.knows(t, "read again", func(k placement.Kafka) bool { return k.ReadAt.Sub(before.ReadAt) > 4*lookEvery })
	if now := after.Holders[shard].Moved; !now.Equal(before.Holders[shard].Moved) {
		t.Errorf("the last movement was %v ago, and is now %v ago", time.Since(before.Holders[shard].Moved), time.Since(now))
	}
}

// refused answers a request as a broker does that denies access.
func refused(req *kmsg.ListOffsetsRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, from := range req.Topics {
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic = from.Topic
		for _, p := range from.Partitions {
			partition := kmsg.NewListOffsetsResponseTopicPartition()
			partition.Partition, partition.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
			topic.Partitions = append(topic.Partitions, partition)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

var shard = topology.Shard{Origin: "eu", Destination: "us", Number: 7}

func registered(ctx context.Context, t *testing.T, c *kafka.Cluster, node string) int64 {
	t.Helper()
	var seq int64
	again(ctx, t, func() (err error) {
		seq, err = checkpoint.Register(ctx, c, kafka.ProducerID{ID: 4000}, checkpoint.Writer{Origin: "eu", Shard: 7, Node: node})
		return err
	})
	return seq
}

func beat(ctx context.Context, t *testing.T, c *kafka.Cluster) {
	t.Helper()
	again(ctx, t, func() error {
		if err := checkpoint.EnsureOwned(ctx, c, 1, 1, checkpoint.NodesTopic); err != nil {
			return err
		}
		return checkpoint.WriteBeat(ctx, c, checkpoint.Beat{Node: "us1", Progress: checkpoint.Shards{"eu.7"}})
	})
}

// again writes like a node: once more when the first time told only that the topic is another one.
func again(ctx context.Context, t *testing.T, write func() error) {
	t.Helper()
	err := write()
	if errors.Is(err, kerr.UnknownTopicID) && ctx.Err() == nil {
		err = write()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// also is another process that follows the same cluster.
func also(t *testing.T, l *Liveness, c *kafka.Cluster) *Liveness {
	t.Helper()
	other := New(l.dialer, l.log)
	t.Cleanup(other.Close)
	other.Follow(&topology.Topology{Clusters: map[topology.Alias]topology.Cluster{"us": c.Config}})
	return other
}

// lost awaits that the registry is said to be lost.
func (l *Liveness) lost(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), slow)
	defer cancel()
	for {
		var r kafka.Reason
		err := l.Troubles()["us"]
		if errors.As(err, &r) && r.Code == kafka.RegistryLost && r.Hint != "" {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("its loss was never told: %v", err)
		}
	}
}
