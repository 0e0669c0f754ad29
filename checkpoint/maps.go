package checkpoint

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// Maps follows the offset maps of everything that came from one origin to one cluster, whoever writes them. It is not safe for
// concurrent use.
type Maps struct {
	cluster *kafka.Cluster
	topic   string
	tables  [topology.Shards]Table
	pages   Pages
	cache   map[string]*offsetxlate.Map
}

// NewMaps makes an unread view of the maps that cluster c holds of origin's topics.
func NewMaps(c *kafka.Cluster, origin topology.Alias) *Maps {
	m := &Maps{cluster: c, topic: OffsetsTopic(origin), pages: Pages{}, cache: map[string]*offsetxlate.Map{}}
	for n := range m.tables {
		m.tables[n] = Table{Cluster: c, Topic: m.topic, Partition: int32(n), Apply: m.apply}
	}
	return m
}

func (m *Maps) apply(r *kgo.Record) error {
	part, _, err := SplitPageKey(string(r.Key))
	if err != nil {
		return err
	}
	delete(m.cache, part)
	return m.pages.Apply(r)
}

// Refresh reads what was written before the call: one question for all ends, and a fetch only where something is new.
func (m *Maps) Refresh(ctx context.Context) error {
	at, err := m.cluster.Locate(ctx, m.topic)
	if err != nil {
		return err
	}
	ps := at[m.topic]
	if len(ps) != topology.Shards {
		return fmt.Errorf("reading %s on cluster %s: %w", m.topic, m.cluster.Config.Alias, ErrNoTable)
	}
	ends, err := m.cluster.Offsets(ctx, ps, kafka.End)
	if err != nil {
		return err
	}
	for n := range ps {
		if ends[n].Err == nil && ends[n].At == m.tables[n].Next() {
			continue
		}
		if err := m.tables[n].readTo(ctx, ps[n], ends[n]); err != nil {
			return fmt.Errorf("reading %s on cluster %s: %w", ps[n], m.cluster.Config.Alias, err)
		}
	}
	return nil
}

// Of returns the map of a partition, named as at the origin; nil if there is none. It is valid until the next Refresh.
func (m *Maps) Of(topic string, partition int32) (*offsetxlate.Map, error) {
	key := PartitionKey(topic, partition)
	if x, ok := m.cache[key]; ok {
		return x, nil
	}
	x, err := m.pages.Map(key)
	if err == nil {
		m.cache[key] = x
	}
	return x, err
}
