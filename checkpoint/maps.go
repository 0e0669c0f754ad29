package checkpoint

import (
	"context"

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

// Refresh reads what was written before the call.
func (m *Maps) Refresh(ctx context.Context) error {
	return refreshAll(ctx, m.cluster, m.topic, &m.tables)
}

// RefreshShard reads what was written of a shard's partitions before the call.
func (m *Maps) RefreshShard(ctx context.Context, n int) error { return m.tables[n].Refresh(ctx) }

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
