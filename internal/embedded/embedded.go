// Package embedded runs Kafka clusters inside the meshd process, to try meshd out: franz-go's kfake, which keeps everything in
// memory. They end with the process.
package embedded

import (
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/meshd/meshd/topology"
)

// Clusters are the embedded clusters of one process. The zero value has none.
type Clusters struct {
	mu sync.Mutex
	by map[topology.Alias]*kfake.Cluster
}

// Addresses starts the cluster at its first call and returns where it listens.
func (c *Clusters) Addresses(a topology.Alias) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.by[a]; k != nil {
		return k.ListenAddrs(), nil
	}
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("embedded-"+string(a)))
	if err != nil {
		return nil, fmt.Errorf("starting embedded cluster %s: %w", a, err)
	}
	if c.by == nil {
		c.by = map[topology.Alias]*kfake.Cluster{}
	}
	c.by[a] = k
	return k.ListenAddrs(), nil
}

// Close ends all clusters.
func (c *Clusters) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.by {
		k.Close()
	}
	c.by = nil
}
