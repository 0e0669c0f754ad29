package checkpoint

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// Holdings is what a cluster has of an origin, as its writers noted it: how far they have come, and where the records lie. It is not safe
// for concurrent use.
type Holdings struct {
	Maps     *Maps
	cluster  *kafka.Cluster
	origin   topology.Alias
	topic    string
	tables   [topology.Shards]Table
	progress map[string]Progress
}

// NewHoldings makes an unread view of what cluster c has of origin.
func NewHoldings(c *kafka.Cluster, origin topology.Alias) *Holdings {
	h := &Holdings{Maps: NewMaps(c, origin), cluster: c, origin: origin, topic: ProgressTopic(origin), progress: map[string]Progress{}}
	for n := range h.tables {
		h.tables[n] = Table{Cluster: c, Topic: h.topic, Partition: int32(n), Apply: h.apply}
	}
	return h
}

// Anew is an unread view of the same.
func (h *Holdings) Anew() *Holdings { return NewHoldings(h.cluster, h.origin) }

func (h *Holdings) apply(r *kgo.Record) error {
	if r.Value == nil {
		delete(h.progress, string(r.Key))
		return nil
	}
	p, err := DecodeProgress(r.Value)
	if err != nil {
		return fmt.Errorf("progress of %s: %w", r.Key, err)
	}
	h.progress[string(r.Key)] = p
	return nil
}

// Refresh reads what was written before the call. ErrNoTable means that nothing of the origin was ever written there.
func (h *Holdings) Refresh(ctx context.Context) error {
	if err := refreshAll(ctx, h.cluster, h.topic, &h.tables); err != nil { // maps are stored before places
		return err
	}
	return h.Maps.Refresh(ctx)
}

// RefreshProgress is Refresh without the maps.
func (h *Holdings) RefreshProgress(ctx context.Context) error {
	return refreshAll(ctx, h.cluster, h.topic, &h.tables)
}

// RefreshShard reads what was written of a shard's progress before the call.
func (h *Holdings) RefreshShard(ctx context.Context, n int) error { return h.tables[n].Refresh(ctx) }

// Progress is how far the writer of a partition, named as at the origin, has come.
func (h *Holdings) Progress(topic string, partition int32) (Progress, bool) {
	p, ok := h.progress[PartitionKey(topic, partition)]
	return p, ok
}

// OfTopic are the Progress of all partitions of a topic.
func (h *Holdings) OfTopic(topic string) (all []Progress) {
	for key, p := range h.progress {
		if strings.HasPrefix(key, topic+"/") {
			all = append(all, p)
		}
	}
	return all
}

// All is the progress of all partitions, by PartitionKey. The caller must not change the map, nor use it beside Refresh.
func (h *Holdings) All() map[string]Progress { return h.progress }

// refreshAll reads what is new in the tables of a topic: one question for all ends, and a fetch only where something is new.
func refreshAll(ctx context.Context, c *kafka.Cluster, topic string, tables *[topology.Shards]Table) error {
	at, err := c.Locate(ctx, topic)
	if err != nil {
		return err
	}
	ps := at[topic]
	if len(ps) != topology.Shards {
		return fmt.Errorf("reading %s on cluster %s: %w", topic, c.Config.Alias, ErrNoTable)
	}
	ends, err := c.Offsets(ctx, ps, kafka.End)
	if err != nil {
		return err
	}
	for n := range ps {
		if err := tables[n].is(ps[n]); err != nil {
			return err
		}
		if ends[n].Err == nil && ends[n].At == tables[n].Next() {
			continue
		}
		if err := tables[n].readTo(ctx, ps[n], ends[n]); err != nil {
			return fmt.Errorf("reading %s on cluster %s: %w", ps[n], c.Config.Alias, err)
		}
	}
	return nil
}
