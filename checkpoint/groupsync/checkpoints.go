package groupsync

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/mm2"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// checkpoints writes MM2's checkpoints: for each group of another cluster, where it would go on here. They are written when they
// change, for MM2's readers take the last one of a key.
type checkpoints struct {
	home  *view
	made  map[topology.Alias]bool
	wrote map[string]mm2.Checkpoint
}

func newCheckpoints(home *view) *checkpoints {
	return &checkpoints{home: home, made: map[topology.Alias]bool{}, wrote: map[string]mm2.Checkpoint{}}
}

// write writes what changed of the groups of peer.
func (c *checkpoints) write(ctx context.Context, brokers int, peer *view, wanted []string) error {
	if readable := peer.err == nil; !readable || !peer.Link.Settings.MM2Checkpoints {
		return nil
	}
	topic := mm2.CheckpointsTopic(string(peer.Alias))
	if !c.made[peer.Alias] {
		if err := checkpoint.EnsureOwned(ctx, c.home.Cluster, brokers, 1, topic); err != nil {
			return err
		}
		c.made[peer.Alias] = true
	}
	var records []*kgo.Record
	var news []mm2.Checkpoint
	for _, g := range wanted {
		for _, cp := range c.of(peer, g) {
			if c.wrote[cpKey(peer, cp)] == cp {
				continue
			}
			key, value, err := cp.Encode()
			if err != nil {
				return fmt.Errorf("encoding the checkpoint of group %s: %w", g, err)
			}
			records, news = append(records, &kgo.Record{Topic: topic, Key: key, Value: value}), append(news, cp)
		}
	}
	if len(records) == 0 {
		return nil
	}
	if err := checkpoint.Append(ctx, c.home.Cluster, records...); err != nil {
		c.made[peer.Alias] = false
		return err
	}
	for _, cp := range news {
		c.wrote[cpKey(peer, cp)] = cp
	}
	return nil
}

func cpKey(peer *view, cp mm2.Checkpoint) string {
	return fmt.Sprintf("%s %s/%d %s", peer.Alias, cp.Topic, cp.Partition, cp.Group)
}

// of are the checkpoints of one group of peer. A place that can't be told exactly is left out: MM2's readers know no "at least".
func (c *checkpoints) of(peer *view, group string) (out []mm2.Checkpoint) {
	for at, commit := range peer.commits[group].Commits {
		if commit.Offset < 0 {
			continue
		}
		where := peer.names.coordinateOf(at.Topic, at.Number)
		name, ok := c.home.names.nameOf(where)
		if !ok {
			continue
		}
		down, ok := c.downstream(peer, where, commit.Offset)
		if !ok {
			continue
		}
		out = append(out, mm2.Checkpoint{
			Group: group, Topic: name, Partition: at.Number, Upstream: commit.Offset, Downstream: down, Metadata: commit.Metadata,
		})
	}
	return out
}

// downstream translates an offset of peer to the home. What came from the home itself is found by the peer's map of it.
func (c *checkpoints) downstream(peer *view, where coordinate, offset int64) (int64, bool) {
	switch where.Origin {
	case peer.Alias:
		m, err := c.home.mapOf(where)
		if err != nil || m == nil {
			return 0, false
		}
		a := m.ToDest(offsetxlate.Source(offset))
		return int64(a.Offset), a.Exact
	case c.home.Alias:
		m, err := peer.mapOf(where)
		if err != nil || m == nil {
			return 0, false
		}
		a := m.ToSource(offsetxlate.Dest(offset))
		return int64(a.Offset), a.Exact
	}
	return 0, false
}
