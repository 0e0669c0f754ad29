package chaos

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/test/validate"
)

// layout is clusters that share topics: with identity naming, and writers at all of them.
type layout struct {
	name    string
	quick   bool     // it is in the normal suite
	nodes   []string // each cluster has one at least
	links   [][2]string
	yaml    string
	batches bool // us and eu have a topic of their own, whose batches are copied as they are
}

var layouts = []*layout{{
	name: "mesh", quick: true, nodes: []string{"us-1", "eu-1", "eu-2", "ap-1", "ap-2"}, batches: true,
	links: [][2]string{{"us", "eu"}, {"us", "ap"}, {"eu", "ap"}},
	yaml: `  - between: [us, eu]
    topics: {include: ["shared-.*", "pair-.*"], rules: [{match: "pair-.*", provenance: batch}]}
    naming: identity
  - {between: [us, ap], topics: {include: ["shared-.*"]}, naming: identity}
  - {between: [eu, ap], topics: {include: ["shared-.*"]}, naming: identity}`,
}, {
	name: "hub", nodes: []string{"hub-1", "hub-2", "us-1", "eu-1", "eu-2", "ap-1"},
	links: [][2]string{{"hub", "us"}, {"hub", "eu"}, {"hub", "ap"}},
	yaml:  `  - {between: {hub: hub, spokes: [us, eu, ap]}, topics: {include: ["shared-.*"]}, naming: identity}`,
}}

// clusters are aliases, in the order of the nodes.
func (l *layout) clusters() (aliases []string) {
	for _, name := range l.nodes {
		if !slices.Contains(aliases, home(name)) {
			aliases = append(aliases, home(name))
		}
	}
	return aliases
}

// Under load at every cluster, everything breaks in the order of a seed. Then all of them hold all records, once each, in order and with
// where they come from.
func TestShared(t *testing.T) {
	kafkatest.RealOnly(t, "kfake's brokers can't be killed, stopped or limited one by one")
	for _, l := range layouts {
		if l.quick || *every {
			t.Run(l.name, func(t *testing.T) { eachSeed(t, l.arena, l.chaos) })
		}
	}
}

// arena starts a cluster of one broker for each alias, and all nodes.
func (l *layout) arena(t *testing.T) *mesh {
	t.Helper()
	var sides []*side
	for _, alias := range l.clusters() {
		sides = append(sides, startSide(t, alias, 1, nil, false, false))
	}
	m := newMesh(t, binary, sides, l.nodes, l.yaml)
	m.startAll(t)
	return m
}

// chaos is one seed.
func (l *layout) chaos(m *mesh, t *testing.T, seed uint64) {
	topics := l.topics(t, m, seed)
	r := &report{test: "TestShared/" + l.name, name: l.name, seed: seed, began: time.Now()}
	t.Cleanup(func() { r.write(t, m) })
	var watches []*watch
	var feeds []*feed
	for _, s := range m.sides {
		watches = append(watches, watchShared(t, r.began, s, topics))
	}
	for _, topic := range topics {
		feeds = append(feeds, topic.feeds...)
	}
	load := startLoad(t, seed, feeds)
	m.play(t, r, l.schedule(seed))
	load.stop()
	r.loaded = time.Since(r.began)
	for _, w := range watches {
		r.stalls = append(r.stalls, sorted(w.stalls())...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, topic := range topics {
		topic.judge(ctx, t, r)
	}
	m.stillStands(t)
}

// shared is a topic that has one name at all its clusters, with a feed at each.
type shared struct {
	validate.SharedTopic
	feeds []*feed
}

// topics makes fresh ones.
func (l *layout) topics(t *testing.T, m *mesh, seed uint64) []*shared {
	t.Helper()
	none, lz4, zstd := kgo.NoCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()
	all := []*shared{
		newShared(t, fmt.Sprintf("shared-streams-%d", seed), m.sides, idempotent(none), idempotent(lz4)),
		newShared(t, fmt.Sprintf("shared-transactions-%d", seed), m.sides, transactional(lz4), idempotent(zstd)),
	}
	if l.batches {
		pair := newShared(t, fmt.Sprintf("pair-%d", seed), []*side{m.side("us"), m.side("eu")}, idempotent(lz4), transactional(none))
		pair.Unstamped = true
		all = append(all, pair)
	}
	return all
}

// newShared makes the topic at one side; meshd makes it at the others. No record is written by a producer without an id, which may write it twice.
func newShared(t *testing.T, name string, sides []*side, writers ...writer) *shared {
	t.Helper()
	topic := &shared{SharedTopic: validate.SharedTopic{Name: name, Clusters: map[string]*kgo.Client{}, Home: kafkatest.HomeOf}}
	sides[0].CreateTopic(t, name, 4)
	for _, s := range sides {
		s.awaitTopic(t, name)
		topic.Clusters[s.alias] = s.Client(t)
		topic.feeds = append(topic.feeds, &feed{name: name, topic: name, from: s, at: s.alias, partitions: 4, perSecond: 100, writers: writers})
	}
	return topic
}

// awaitTopic waits until there is a topic.
func (s *side) awaitTopic(t *testing.T, name string) {
	t.Helper()
	admin := kadm.NewClient(s.Client(t))
	for deadline := time.After(curtain); ; {
		topics, err := admin.ListTopics(t.Context(), name)
		if err == nil && topics.Has(name) {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-deadline:
			t.Fatalf("waited %s for topic %s at %s: %v", curtain, name, s.alias, err)
		}
	}
}

// watchShared consumes what arrives at a side of the others' records.
func watchShared(t *testing.T, began time.Time, s *side, topics []*shared) *watch {
	t.Helper()
	var names []string
	for _, topic := range topics {
		if topic.Clusters[s.alias] != nil {
			names = append(names, topic.Name)
		}
	}
	return startWatch(t, began, s, names, func(r *kgo.Record) string {
		if from := kafkatest.HomeOf(r.Key, r.Value); from != s.alias {
			return fmt.Sprintf("%s->%s %s", from, s.alias, r.Topic)
		}
		return ""
	})
}

// judge waits until a topic is complete everywhere, and compares.
func (s *shared) judge(ctx context.Context, t *testing.T, r *report) {
	t.Helper()
	found, err := validate.UntilShared(ctx, s.SharedTopic)
	r.shared = append(r.shared, found)
	r.caughtUp = time.Since(r.began)
	switch {
	case err != nil:
		t.Errorf("comparing %s: %v", s.Name, err)
	case !found.OK():
		t.Error(found)
	}
	for alias := range s.Clusters {
		if err == nil && found.Produced[alias] == 0 {
			t.Errorf("nothing was written to %s at %s", s.Name, alias)
		}
	}
}
