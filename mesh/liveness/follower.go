package liveness

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/topology"
)

// follower follows one cluster until it is stopped.
type follower struct {
	of     *Liveness
	config topology.Cluster
	cancel context.CancelFunc
	done   sync.WaitGroup

	// Under the lock of Liveness:
	shown   placement.Kafka // as it was when it was last read to the end
	trouble error           // why it can't be read now

	// Of the goroutine that reads:
	cluster *kafka.Cluster
	ready   bool                // the topics have been looked for
	writers *checkpoint.Writers // one for as long as it follows, so that it knows of what it read once
	nodes   *checkpoint.Nodes
	view    placement.Kafka
	now     time.Time
	last    int64 // Seq of the newest registration that was told
}

func (f *follower) run(ctx context.Context) {
	if f.cluster = f.dial(ctx); f.cluster == nil {
		return
	}
	defer f.cluster.Close()
	f.writers = checkpoint.NewWriters(f.cluster)
	f.beginNodes()
	for {
		err := f.look(ctx)
		if ctx.Err() != nil {
			return
		}
		f.of.tell(f, err)
		if kafka.Sleep(ctx, lookEvery) != nil {
			return
		}
	}
}

// dial makes the client as soon as the files of its secrets can be read; nil if ctx ended before.
func (f *follower) dial(ctx context.Context) *kafka.Cluster {
	for {
		cluster, err := f.of.dialer.Dial(f.config, checkpoint.TableWriter()...)
		if err == nil {
			return cluster
		}
		f.of.tell(f, err)
		if kafka.Sleep(ctx, dialEvery) != nil {
			return nil
		}
	}
}

// beginNodes reads the heartbeats from their beginning, and with them begins to watch: what stands in meshd.nodes already may be of the
// dead. Only what comes after the first complete read counts as movement.
func (f *follower) beginNodes() {
	f.nodes = checkpoint.NewNodes(f.cluster, f.beat)
	f.view = placement.Kafka{}
}

// look reads once. After an error it goes on where it stood.
func (f *follower) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	if err := f.prepare(ctx); err != nil {
		return err
	}
	err := f.read(ctx)
	f.ready = err == nil
	return err
}

// prepare makes the topics, with the time that leaders of new topics need. The registry of writers is never made a second time.
func (f *follower) prepare(ctx context.Context) error {
	if f.ready {
		return nil
	}
	_, brokers, err := f.cluster.Identity(ctx)
	if err == nil {
		err = checkpoint.EnsureWriters(ctx, f.cluster, brokers)
	}
	if err == nil {
		err = checkpoint.EnsureOwned(ctx, f.cluster, brokers, 1, checkpoint.NodesTopic)
	}
	return err
}

// read reads writers before nodes: a beat names shards that the reader knows.
func (f *follower) read(ctx context.Context) error {
	if err := f.writers.Refresh(ctx); err != nil {
		return err
	}
	f.now = time.Now()
	for shard, r := range f.writers.Holders() {
		f.view.Registered(shard, r.Node, r.Held, r.Seq, f.now)
	}
	if err := f.nodes.Refresh(ctx); err != nil {
		if _, other := errors.AsType[*checkpoint.WentBackError](err); other {
			f.beginNodes()
		}
		return err
	}
	f.view.Read(time.Now())
	return nil
}

func (f *follower) beat(b checkpoint.Beat) {
	destination := f.config.Alias
	var progress []topology.Shard
	for _, key := range b.Progress {
		if s, err := checkpoint.ParseShardKey(key, destination); err == nil {
			progress = append(progress, s)
		}
	}
	released := make(map[topology.Shard]int64, len(b.Released))
	for key, seq := range b.Released {
		if s, err := checkpoint.ParseShardKey(key, destination); err == nil {
			released[s] = seq
		}
	}
	f.view.Beat(b.Node, progress, released, f.now)
}
