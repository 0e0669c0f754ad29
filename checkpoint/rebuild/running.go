package rebuild

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
)

// running refuses while a node gives signs of life there, which one that writes does once a heartbeat.
func (b *builder) running(ctx context.Context) error {
	alive, first := map[string]bool{}, true
	counts := map[string]uint64{}
	nodes := checkpoint.NewNodes(b.Cluster, func(x checkpoint.Beat) {
		if was, ok := counts[x.Node]; !first && (!ok || was != x.Count) {
			alive[x.Node] = true
		}
		counts[x.Node] = x.Count
	})
	for range 2 {
		if err := nodes.Refresh(ctx); err != nil {
			if checkpoint.IsNoTable(err) {
				return nil
			}
			return err
		}
		if first && len(counts) > 0 {
			if err := kafka.Sleep(ctx, b.watch()); err != nil {
				return err
			}
		}
		first = false
	}
	if len(alive) > 0 {
		return &RunningError{b.Cluster.Config.Alias, slices.Sorted(maps.Keys(alive))}
	}
	return nil
}

// watch is for how long signs of life are waited for.
func (b *builder) watch() time.Duration { return 3 * b.Topology.Intervals.Heartbeat }
