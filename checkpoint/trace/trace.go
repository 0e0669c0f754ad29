package trace

import (
	"context"
	"slices"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// Config is where the record lies, and how to get to clusters.
type Config struct {
	Topology  *topology.Topology
	Dial      func(topology.Alias) (*kafka.Cluster, error)
	Cluster   topology.Alias
	Topic     string
	Partition int32
	Offset    int64
}

const (
	fetched  loop.Tick = 1 // the record, before
	readThen loop.Tick = 2 // the registry was read

	askFor = 10 * time.Second // a cluster that may not answer
)

// tracer is one question.
type tracer struct {
	Config
	report   Report
	c        *kafka.Cluster
	at       kafka.Partition
	seen     seen
	clusters map[topology.Alias]*kafka.Cluster // that answer
	ids      map[topology.Alias]loop.ClusterID // that are known
	registry *checkpoint.Topics
	known    map[int64]checkpoint.Writer
	writers  *loop.Writers
	origins  *loop.Origins
	entry    checkpoint.TopicEntry                 // of a copy with prefix naming
	home     topology.Alias                        // where its topic's records are produced: the entry's origin, or the cluster itself
	name     string                                // of the topic there
	here     map[topology.Alias]checkpoint.Written // what writers of others noted here
}

// Run tells the story of a record. Clusters that don't answer are left out, but for its own.
func Run(ctx context.Context, cfg Config) (Report, error) {
	t := &tracer{
		Config: cfg, clusters: map[topology.Alias]*kafka.Cluster{}, ids: map[topology.Alias]loop.ClusterID{}, writers: loop.NewWriters(), origins: &loop.Origins{},
		here: map[topology.Alias]checkpoint.Written{},
	}
	t.report = Report{Cluster: cfg.Cluster, Topic: cfg.Topic, Partition: cfg.Partition, Offset: cfg.Offset, Copies: []Copy{}, Rules: []Rule{}}
	defer t.close()
	for _, step := range []func(context.Context) error{t.meet, t.look, t.registries, t.judged, t.follow, t.rules} {
		if err := step(ctx); err != nil {
			return Report{}, err
		}
	}
	return t.report, nil
}

func (t *tracer) close() {
	for _, c := range t.clusters {
		c.Close()
	}
}

// meet asks all clusters who they are.
func (t *tracer) meet(ctx context.Context) error {
	for _, a := range t.Topology.Aliases() {
		if id, err := loop.NewClusterID(t.Topology.Clusters[a].ID); err == nil {
			t.ids[a] = id
		}
		c, err := t.Dial(a)
		if err != nil {
			if a == t.Cluster {
				return err
			}
			continue
		}
		one, cancel := context.WithTimeout(ctx, askFor)
		id, _, err := c.Identity(one)
		cancel()
		if err != nil {
			c.Close()
			if a == t.Cluster {
				return err
			}
			continue
		}
		t.clusters[a] = c
		if form, err := loop.NewClusterID(id); err == nil {
			t.ids[a] = form
		}
	}
	t.c = t.clusters[t.Cluster]
	return nil
}

// registries reads who writes at the cluster, and of what its topic is a copy. What it reads is younger than the record.
func (t *tracer) registries(ctx context.Context) error {
	t.registry = checkpoint.NewTopics(t.c)
	if err := t.registry.Refresh(ctx); err != nil && !checkpoint.IsNoTable(err) {
		return err
	}
	if t.registry.HasWriters() {
		table := checkpoint.NewWriters(t.c)
		if err := table.Refresh(ctx); err != nil {
			if kafka.Explain(err, "").Code != kafka.RegistryLost {
				return err
			}
			t.writers.Lose()
		}
		t.known = table.IDs()
	}
	for id, w := range t.known {
		if form, err := loop.NewClusterID(w.OriginID); err == nil {
			_ = t.writers.Register(id, t.origins.Number(form)) // two origins: it says so itself
			if t.ids[w.Origin] == "" {
				t.ids[w.Origin] = form
			}
		}
	}
	t.writers.ReadSince(readThen)
	t.home, t.name = t.Cluster, t.Topic
	if e, ok := t.registry.Entries()[t.Topic]; ok && e.Kind != checkpoint.Shared && e.Kind != checkpoint.Local {
		t.entry, t.home, t.name = e, e.Origin, e.Topic
	}
	return nil
}

// number is a cluster's number for the judge; one whose id nobody knows gets one that no header has.
func (t *tracer) number(a topology.Alias) loop.Origin {
	if id := t.ids[a]; id != "" {
		return t.origins.Number(id)
	}
	return t.origins.Number(loop.ClusterID("?" + a))
}

func (t *tracer) aliasOf(id loop.ClusterID) topology.Alias {
	for _, a := range t.Topology.Aliases() {
		if t.ids[a] == id {
			return a
		}
	}
	return ""
}

// identity says whether the topic has one name everywhere.
func (t *tracer) identity() bool {
	if t.entry.Origin != "" {
		return false
	}
	for p, l := range t.Topology.Pairs() {
		s, carried := l.Topic(t.Topic)
		if carried && s.Naming == topology.Identity && slices.Contains([]topology.Alias{p.Source, p.Destination}, t.Cluster) {
			return true
		}
	}
	return false
}
