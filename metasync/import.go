package metasync

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// Import takes a cut of a topic with one name everywhere, in which another tool copied before.
type Import struct {
	Topic     string
	At        *kafka.Cluster
	From      map[topology.Alias]*kafka.Cluster  // the origins from which it copied
	Readers   []*kafka.Cluster                   // clusters to which a link leads that carries the topic from At
	Positions map[topology.Alias]map[int32]int64 // how far it had come; nil: as MirrorMaker 2 noted it at At
}

// CarriedError says that meshd carries a topic already: a cut would tear what is there from what comes.
type CarriedError struct{ Topic, Why string }

func (e *CarriedError) Error() string {
	return fmt.Sprintf("topic %s is carried already: %s", e.Topic, e.Why)
}

// Run takes the cut, and returns it; already says that it was taken before. The tool must have been stopped.
func (m Import) Run(ctx context.Context) (cut checkpoint.Cut, already bool, err error) {
	registry, err := registryAt(ctx, m.At)
	if err != nil {
		return cut, false, err
	}
	ps, err := partitionsOf(ctx, m.At, m.Topic)
	if err != nil {
		return cut, false, err
	}
	id := checkpoint.TopicID(ps[0].TopicID)
	if cut, already = registry.Cut(m.Topic); already && cut.TopicID == id {
		return cut, true, nil
	}
	if err := m.carried(ctx, registry); err != nil {
		return cut, false, err
	}
	cut = checkpoint.Cut{TopicID: id, Below: map[int32]int64{}, From: map[topology.Alias]checkpoint.Reached{}}
	ends, err := m.At.Offsets(ctx, ps, kafka.End)
	if err != nil {
		return cut, false, err
	}
	for i, p := range ps {
		if ends[i].Err != nil {
			return cut, false, fmt.Errorf("finding the end of %s: %w", p, ends[i].Err)
		}
		cut.Below[p.Number] = ends[i].At
	}
	for _, a := range slices.Sorted(maps.Keys(m.From)) {
		if cut.From[a], err = m.reached(ctx, a, cut.Below); err != nil {
			return cut, false, err
		}
	}
	return cut, false, registry.PutCut(ctx, m.Topic, cut)
}

func registryAt(ctx context.Context, c *kafka.Cluster) (*checkpoint.Topics, error) {
	_, brokers, err := c.Identity(ctx)
	if err == nil {
		err = checkpoint.EnsureOwned(ctx, c, brokers, 1, checkpoint.TopicsTopic)
	}
	registry := checkpoint.NewTopics(c)
	if err == nil {
		err = registry.BeBorn(ctx, checkpoint.NewID())
	}
	return registry, err
}

func partitionsOf(ctx context.Context, c *kafka.Cluster, topic string) ([]kafka.Partition, error) {
	at, err := c.Locate(ctx, topic)
	if err == nil && len(at[topic]) == 0 {
		err = kafka.Because(kafka.SourceDeleted, fmt.Sprintf("topic %s is not at cluster %s", topic, c.Config.Alias), "name the topic as it is named there")
	}
	return at[topic], err
}

// carried says, if so, that meshd has written into the topic, or sent it on.
func (m Import) carried(ctx context.Context, registry *checkpoint.Topics) error {
	for key, e := range registry.Entries() {
		if key == m.Topic && e.Kind != checkpoint.Shared || strings.HasPrefix(key, m.Topic+"!") {
			return &CarriedError{m.Topic, fmt.Sprintf("the registry of cluster %s has it from %s", m.At.Config.Alias, e.Origin)}
		}
	}
	for _, r := range m.Readers {
		theirs := checkpoint.NewTopics(r)
		if err := theirs.Refresh(ctx); err != nil && !checkpoint.IsNoTable(err) {
			return err
		}
		if _, has := theirs.Entries()[checkpoint.FromKey(m.Topic, m.At.Config.Alias)]; has {
			return &CarriedError{m.Topic, fmt.Sprintf("the registry of cluster %s has it from %s", r.Config.Alias, m.At.Config.Alias)}
		}
	}
	for a := range m.From {
		h := checkpoint.NewHoldings(m.At, a)
		if err := h.RefreshProgress(ctx); err != nil && !checkpoint.IsNoTable(err) {
			return err
		}
		if len(h.OfTopic(m.Topic)) > 0 {
			return &CarriedError{m.Topic, fmt.Sprintf("cluster %s has progress of what came from %s", m.At.Config.Alias, a)}
		}
	}
	return nil
}

// reached is how far the tool had come at one origin. A partition of which nothing is known must not have been copied.
func (m Import) reached(ctx context.Context, origin topology.Alias, below map[int32]int64) (r checkpoint.Reached, err error) {
	c, positions := m.From[origin], m.Positions[origin]
	if m.Positions == nil {
		if positions, err = Positions(ctx, m.At, string(origin), m.Topic); err != nil {
			return r, err
		}
	}
	ps, err := partitionsOf(ctx, c, m.Topic)
	if err != nil {
		return r, err
	}
	logs, err := c.Bounds(ctx, ps)
	if err != nil {
		return r, err
	}
	r.Partitions = map[int32]checkpoint.Coordinates{}
	for i, p := range ps {
		pos, known := positions[p.Number]
		switch {
		case logs[i].Err != nil:
			return r, logs[i].Err
		case !known && (logs[i].End == 0 || below[p.Number] == 0):
			continue
		case !known:
			return r, kafka.Because(kafka.Unclaimed, fmt.Sprintf("how far %s of cluster %s was copied is not known", p, origin), "give the position of each partition with --position")
		case pos < 0 || pos > logs[i].End:
			return r, kafka.Because(kafka.Unclaimed, fmt.Sprintf("the position of %s of cluster %s is %d, and its log ends at %d", p, origin, pos, logs[i].End), "it is of another topic: look where it comes from")
		}
		epoch, err := c.EpochFrom(ctx, p, pos, logs[i])
		if err != nil {
			return r, err
		}
		r.Partitions[p.Number] = checkpoint.Coordinates{Offset: pos, Epoch: epoch}
	}
	r.Incarnation, err = incarnationOf(ctx, c, m.Topic, checkpoint.TopicID(ps[0].TopicID))
	return r, err
}

// incarnationOf is that of the topic that is at a cluster now.
func incarnationOf(ctx context.Context, c *kafka.Cluster, topic, id string) (int32, error) {
	registry := checkpoint.NewTopics(c)
	if err := registry.Refresh(ctx); err != nil && !checkpoint.IsNoTable(err) {
		return 0, err
	}
	all := registry.Incarnations(topic)
	if len(all) == 0 || id == "" {
		return 0, nil
	}
	if last := all[len(all)-1]; last.TopicID == id {
		return last.Number, nil
	}
	return 0, kafka.Because(kafka.SourceRecreated, fmt.Sprintf("topic %s was deleted and made again at cluster %s", topic, c.Config.Alias), "run meshd accept for it first")
}
