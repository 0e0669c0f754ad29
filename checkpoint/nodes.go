package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// Beat is a node's sign of life at one cluster that it writes to, once a second. It says more than that the process lives: which
// shards turn.
type Beat struct {
	Version  int    `json:"v"` // 1
	Node     string `json:"node"`
	At       int64  `json:"at"` // ms, of the node's clock
	Count    uint64 `json:"n"`  // rises with each beat of a process
	Progress Shards `json:"progress,omitempty"`
	// Released are the shards that the node let go of, each with the Seq of the registration that it held by.
	Released map[string]int64 `json:"released,omitempty"`
}

// Shards are shards of one destination, as origin.number.
type Shards []string

// ShardKey names a shard within its destination.
func ShardKey(s topology.Shard) string { return string(s.Origin) + "." + strconv.Itoa(s.Number) }

// ParseShardKey reads what ShardKey wrote.
func ParseShardKey(key string, destination topology.Alias) (topology.Shard, error) {
	for i := len(key) - 1; i > 0; i-- {
		if key[i] != '.' {
			continue
		}
		n, err := strconv.Atoi(key[i+1:])
		if err != nil || n < 0 || n >= topology.Shards {
			break
		}
		return topology.Shard{Origin: topology.Alias(key[:i]), Destination: destination, Number: n}, nil
	}
	return topology.Shard{}, fmt.Errorf("key %q names no shard", key)
}

// WriteBeat writes a beat to a cluster.
func WriteBeat(ctx context.Context, c *kafka.Cluster, b Beat) error {
	b.Version = 1
	value, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encoding a beat: %w", err)
	}
	return Append(ctx, c, &kgo.Record{Topic: NodesTopic, Key: []byte(b.Node), Value: value})
}

// Nodes follows the beats at one cluster.
type Nodes struct {
	table Table
	seen  func(Beat)
}

// NewNodes makes an unread view; seen is called with each beat that Refresh reads, in the order of the log.
func NewNodes(c *kafka.Cluster, seen func(Beat)) *Nodes {
	n := &Nodes{seen: seen}
	n.table = Table{Cluster: c, Topic: NodesTopic, Apply: n.apply}
	return n
}

// Refresh reads what was written before the call.
func (n *Nodes) Refresh(ctx context.Context) error { return n.table.Refresh(ctx) }

func (n *Nodes) apply(r *kgo.Record) error {
	if r.Value == nil {
		return nil
	}
	var b Beat
	if err := json.Unmarshal(r.Value, &b); err != nil {
		return fmt.Errorf("decoding the beat of node %s: %w", r.Key, err)
	}
	if b.Version != 1 {
		return fmt.Errorf("the beat of node %s has version %d: a newer meshd wrote it", r.Key, b.Version)
	}
	n.seen(b)
	return nil
}
