package checkpoint

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint/mm2"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// WriteHeartbeat says, in MM2's format and topic, that the link from source to the cluster c is alive. The topic must exist.
func WriteHeartbeat(ctx context.Context, c *kafka.Cluster, source topology.Alias, now time.Time) error {
	key, value, err := mm2.Heartbeat{Source: string(source), Target: string(c.Config.Alias), At: now}.Encode()
	if err != nil {
		return fmt.Errorf("writing a heartbeat: %w", err)
	}
	return Append(ctx, c, &kgo.Record{Topic: mm2.Heartbeats, Key: key, Value: value, Timestamp: now})
}
