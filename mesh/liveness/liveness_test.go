package liveness

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kfake"
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

// A cluster that does not answer grows stale: it opens nothing.
func TestGrowsStaleWithItsCluster(t *testing.T) {
	l, _, fake := following(t)
	l.knows(t, "read", func(k placement.Kafka) bool { return !k.ReadAt.IsZero() })
	fake.Close()
	l.knows(t, "stale", func(k placement.Kafka) bool { return time.Since(k.ReadAt) > placement.Default.Fresh })
}
