package checkpoint

import (
	"context"
	"slices"

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
	cache   map[string]*offsetxlate.Map // by MapKey

	incarnations map[string][]int32 // by PartitionKey, in their order
}

// NewMaps makes an unread view of the maps that cluster c holds of origin's topics.
func NewMaps(c *kafka.Cluster, origin topology.Alias) *Maps {
	m := &Maps{cluster: c, topic: OffsetsTopic(origin), pages: Pages{}, cache: map[string]*offsetxlate.Map{}, incarnations: map[string][]int32{}}
	for n := range m.tables {
		m.tables[n] = Table{Cluster: c, Topic: m.topic, Partition: int32(n), Apply: m.apply}
	}
	return m
}

func (m *Maps) apply(r *kgo.Record) error {
	key, _, err := SplitPageKey(string(r.Key))
	if err != nil {
		return err
	}
	part, incarnation, err := splitMapKey(key)
	if err != nil {
		return err
	}
	delete(m.cache, key)
	if err := m.pages.Apply(r); err != nil {
		return err
	}
	m.note(part, incarnation, len(m.pages[key]) > 0)
	return nil
}

// note keeps which incarnations of a partition have maps.
func (m *Maps) note(part string, incarnation int32, there bool) {
	all := m.incarnations[part]
	i, found := slices.BinarySearch(all, incarnation)
	switch {
	case there && !found:
		m.incarnations[part] = slices.Insert(all, i, incarnation)
	case !there && found:
		m.incarnations[part] = slices.Delete(all, i, i+1)
	}
}

// Refresh reads what was written before the call.
func (m *Maps) Refresh(ctx context.Context) error {
	return refreshAll(ctx, m.cluster, m.topic, &m.tables)
}

// RefreshShard reads what was written of a shard's partitions before the call.
func (m *Maps) RefreshShard(ctx context.Context, n int) error { return m.tables[n].Refresh(ctx) }

// Of returns the map of a partition, named as at the origin, in the last incarnation that was copied; nil if there is none. It is valid until
// the next Refresh.
func (m *Maps) Of(topic string, partition int32) (*offsetxlate.Map, error) {
	all := m.incarnations[PartitionKey(topic, partition)]
	if len(all) == 0 {
		return nil, nil //nolint:nilnil // a partition that was never copied has no map, and that is no error
	}
	return m.In(topic, partition, all[len(all)-1])
}

// In is Of in one incarnation.
func (m *Maps) In(topic string, partition, incarnation int32) (*offsetxlate.Map, error) {
	key := MapKey(PartitionKey(topic, partition), incarnation)
	if x, ok := m.cache[key]; ok {
		return x, nil
	}
	x, err := m.pages.Map(key)
	if err == nil {
		m.cache[key] = x
	}
	return x, err
}

// Incarnations are those of a partition's topic of which there are maps, in their order. The caller must not change them.
func (m *Maps) Incarnations(topic string, partition int32) []int32 {
	return m.incarnations[PartitionKey(topic, partition)]
}

// Behind returns the first incarnation behind another one of which there is a map, and that map; nil if there is none.
func (m *Maps) Behind(topic string, partition, incarnation int32) (int32, *offsetxlate.Map, error) {
	for _, n := range m.incarnations[PartitionKey(topic, partition)] {
		if n > incarnation {
			x, err := m.In(topic, partition, n)
			return n, x, err
		}
	}
	return 0, nil, nil
}
