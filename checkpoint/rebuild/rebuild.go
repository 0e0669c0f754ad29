package rebuild

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/topology"
)

// Config is what is to be rebuilt, and how to get there.
type Config struct {
	Cluster  *kafka.Cluster // dialled with checkpoint.TableWriter
	Topology *topology.Topology
	Dial     func(topology.Alias) (*kafka.Cluster, error) // other clusters, in the same way
	DryRun   bool
}

const recordsMost = 512 << 20 // of one batch, decompressed

// builder is one run.
type builder struct {
	Config
	reader   *batch.Reader
	topics   map[string][]kafka.Partition           // that are there
	names    map[[16]byte]string                    // by topic id
	byID     map[[16]byte]map[int32]kafka.Partition // the same
	registry *checkpoint.Topics
	writers  *checkpoint.Writers
	found    []*origin
	claims   []checkpoint.Claim
	report   Report
}

// Run makes a cluster's registries again. It is safe to run twice: what is in them stays, and a neighbour that could not be told is told then.
// The error is a *RunningError where nodes write there; what is reported then is nothing.
func Run(ctx context.Context, cfg Config) (Report, error) {
	b := &builder{
		Config: cfg, reader: batch.NewReader(recordsMost), names: map[[16]byte]string{}, byID: map[[16]byte]map[int32]kafka.Partition{},
		registry: checkpoint.NewTopics(cfg.Cluster), writers: checkpoint.NewWriters(cfg.Cluster),
	}
	b.report.Cluster, b.report.DryRun = cfg.Cluster.Config.Alias, cfg.DryRun
	for _, step := range []func(context.Context) error{b.running, b.look, b.origins, b.decide, b.incarnations, b.write, b.tell} {
		if err := step(ctx); err != nil {
			return Report{}, err
		}
	}
	return b.report, nil
}

// look reads which topics there are, and what is left of the registries.
func (b *builder) look(ctx context.Context) (err error) {
	if b.report.ID, _, err = b.Cluster.Identity(ctx); err != nil {
		return err
	}
	if b.topics, err = b.Cluster.Locate(ctx); err != nil {
		return err
	}
	for topic, ps := range b.topics {
		if len(ps) == 0 || ps[0].TopicID == ([16]byte{}) { // brokers before 2.8 give no ids
			continue
		}
		b.names[ps[0].TopicID] = topic
		at := map[int32]kafka.Partition{}
		for _, p := range ps {
			at[p.Number] = p
		}
		b.byID[ps[0].TopicID] = at
	}
	if b.topics[checkpoint.TopicsTopic] != nil {
		if err := b.registry.Refresh(ctx); err != nil {
			return err
		}
	}
	if b.topics[checkpoint.WritersTopic] != nil {
		if err := b.writers.Refresh(ctx); err != nil {
			return err
		}
	}
	b.report.Birth, b.report.NewTopics = b.registry.Birth(), b.registry.Birth() == ""
	b.report.NewWriter = b.topics[checkpoint.WritersTopic] == nil || !b.registry.KnowsWriters(b.topics[checkpoint.WritersTopic][0].TopicID)
	b.report.Known = Known{len(b.registry.Entries()), len(b.writers.IDs())}
	return nil
}

// write writes what is missing: writers first, and last that the registry is whole.
func (b *builder) write(ctx context.Context) error {
	if b.DryRun || !b.report.Changed() {
		return nil
	}
	_, brokers, err := b.Cluster.Identity(ctx)
	if err == nil {
		err = checkpoint.EnsureOwned(ctx, b.Cluster, brokers, 1, checkpoint.WritersTopic)
	}
	if err != nil {
		return err
	}
	for _, w := range b.report.Writers {
		if err := b.register(ctx, w); err != nil {
			return fmt.Errorf("registering producer id %d: %w", w.ID, err)
		}
	}
	if err := checkpoint.EnsureOwned(ctx, b.Cluster, brokers, 1, checkpoint.TopicsTopic); err != nil {
		return err
	}
	if err := b.registry.BeBorn(ctx, newID()); err != nil {
		return err
	}
	if len(b.claims) > 0 {
		if err := b.registry.Claim(ctx, newID(), b.claims...); err != nil {
			return err
		}
	}
	for _, t := range b.report.Topics {
		if err := b.registry.Put(ctx, t.Key, t.Entry); err != nil {
			return err
		}
	}
	for _, o := range b.found {
		if b.registry.FlowBegan(o.alias) == "" && len(o.holdings.All()) > 0 {
			if err := b.registry.BeginFlow(ctx, o.alias); err != nil {
				return err
			}
		}
	}
	at, err := b.Cluster.Locate(ctx, checkpoint.WritersTopic)
	if err == nil && len(at[checkpoint.WritersTopic]) == 0 {
		err = fmt.Errorf("looking for %s: %w", checkpoint.WritersTopic, checkpoint.ErrNoTable)
	}
	if err != nil {
		return err
	}
	b.report.Birth = b.registry.Birth()
	return b.registry.BeRebuilt(ctx, at[checkpoint.WritersTopic][0].TopicID, newID())
}

func (b *builder) register(ctx context.Context, w Writer) error {
	x := checkpoint.Writer{ClusterID: b.report.ID, Origin: w.Origin, Shard: w.Shard, Node: "rebuilt", At: time.Now().UnixMilli()}
	for _, o := range b.found {
		if o.alias == w.Origin {
			x.OriginID = o.id
		}
	}
	_, err := checkpoint.Register(ctx, b.Cluster, kafka.ProducerID{ID: w.ID, Epoch: w.Epoch}, x)
	return err
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
