package mesh

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/topology"
)

// readers is a reader of a cluster in process, and who writes there.
func readers(t *testing.T) (*Reader, *kafka.Cluster, *kfake.Cluster) {
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
	r := NewReader(dialer, slog.New(slog.DiscardHandler))
	t.Cleanup(r.Close)
	r.Follow(&topology.Topology{Clusters: map[topology.Alias]topology.Cluster{
		"us": config, "eu": {Alias: "eu", Datacenter: "eu"}, "old": {Alias: "old", Datacenter: "us", ReadOnly: true},
	}})
	return r, writer, fake
}

func (r *Reader) knows(t *testing.T, what string, is func(k placement.Kafka) bool) placement.Kafka {
	t.Helper()
	waitFor(t, what, func() bool { return is(r.View()["us"]) })
	return r.View()["us"]
}

func TestReaderFollowsRegistrationsAndBeats(t *testing.T) {
	r, c, _ := readers(t)
	changed, stop := r.Watch()
	defer stop()
	empty := r.knows(t, "read, and nothing there", func(k placement.Kafka) bool { return !k.ReadAt.IsZero() })
	if len(empty.Holders) > 0 || len(r.View()) != 1 {
		t.Errorf("%+v", r.View())
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
	first := r.knows(t, "registered", func(k placement.Kafka) bool { return k.Holders[shard].Seq == seq })
	want := placement.Holder{Node: "us2", Epoch: 2, Seq: seq}
	if diff := cmp.Diff(want, first.Holders[shard], cmpopts.IgnoreFields(placement.Holder{}, "Moved")); diff != "" {
		t.Error(diff)
	}
	<-changed

	beat(checkpoint.Beat{Node: "us1", Progress: checkpoint.Shards{"eu.7"}}) // holds it no more
	beat(checkpoint.Beat{Node: "us2", Progress: checkpoint.Shards{"eu.7", "strange"}})
	moved := r.knows(t, "moved", func(k placement.Kafka) bool { return k.Holders[shard].Moved.After(first.Holders[shard].Moved) })
	beat(checkpoint.Beat{Node: "us2", Released: map[string]int64{"eu.7": seq}})
	let := r.knows(t, "released", func(k placement.Kafka) bool { return k.Holders[shard].Released })
	if !let.Holders[shard].Moved.Equal(moved.Holders[shard].Moved) {
		t.Error("to let go is no progress")
	}
}

// A cluster that does not answer grows stale, and so does one whose registry was lost: neither opens anything.
func TestReaderSaysWhatItCannotRead(t *testing.T) {
	r, c, _ := readers(t)
	ctx, cancel := context.WithTimeout(t.Context(), slow)
	defer cancel()
	if err := checkpoint.EnsureOwned(ctx, c, 1, 1, checkpoint.WritersTopic, checkpoint.NodesTopic); err != nil {
		t.Fatal(err)
	}
	if _, err := checkpoint.Register(ctx, c, kafka.ProducerID{ID: 1}, checkpoint.Writer{Origin: "eu", Node: "us1"}); err != nil {
		t.Fatal(err)
	}
	r.knows(t, "read", func(k placement.Kafka) bool { return len(k.Holders) == 1 })
	if _, err := c.Admin.DeleteTopics(ctx, checkpoint.WritersTopic); err != nil {
		t.Fatal(err)
	}
	stale := func(k placement.Kafka) bool { return time.Since(k.ReadAt) > placement.Default.Fresh }
	r.knows(t, "stale without its registry", stale)
	if err := checkpoint.EnsureOwned(ctx, c, 1, 1, checkpoint.WritersTopic); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "another registry is not the one that was lost", func() bool { return time.Since(r.View()["us"].ReadAt) > 2*placement.Default.Fresh })
}

func TestReaderGrowsStaleWithItsCluster(t *testing.T) {
	r, _, fake := readers(t)
	r.knows(t, "read", func(k placement.Kafka) bool { return !k.ReadAt.IsZero() })
	fake.Close()
	r.knows(t, "stale", func(k placement.Kafka) bool { return time.Since(k.ReadAt) > placement.Default.Fresh })
	r.Follow(&topology.Topology{})
	if len(r.View()) > 0 {
		t.Error("a cluster that is not in the topology any more is read")
	}
}
