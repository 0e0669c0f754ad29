// Package embedded runs Kafka clusters inside the meshd process, to try meshd out: franz-go's kfake, which keeps everything in
// memory. They end with the process.
//
//	client ──TCP on loopback──> gate ──> kfake
//	                             └─ Cut, Kill, Sever: what a lost datacenter, a dead process and a cut line look like from the other side
//
// A cluster that is cut off keeps its data and its groups' timers, as one does whose network is gone. It must never be taken for
// a place to keep data in.
package embedded

import (
	"fmt"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/meshd/meshd/internal/mend"
	"github.com/meshd/meshd/topology"
)

// Clusters are the embedded clusters of one process. The zero value has none.
type Clusters struct {
	mu     sync.Mutex
	by     map[topology.Alias]*cluster
	killed map[string]bool
}

type cluster struct {
	kafka   *kfake.Cluster
	gates   []*gate
	lost    Loss
	severed map[string]bool // clients
}

// Addresses starts the cluster at its first call and returns where it listens.
func (c *Clusters) Addresses(a topology.Alias) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.by[a]; k != nil {
		return k.kafka.ListenAddrs(), nil
	}
	k := &cluster{}
	var err error
	k.kafka, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("embedded-"+string(a)), kfake.ListenFn(c.listen(k)))
	if err != nil {
		return nil, fmt.Errorf("starting embedded cluster %s: %w", a, err)
	}
	mend.Fetch(k.kafka)
	if c.by == nil {
		c.by = map[topology.Alias]*cluster{}
	}
	c.by[a] = k
	return k.kafka.ListenAddrs(), nil
}

func (c *Clusters) listen(k *cluster) func(network, address string) (net.Listener, error) {
	return func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		if err != nil {
			return nil, fmt.Errorf("listening: %w", err)
		}
		g := &gate{Listener: l, lost: func() Loss { return c.lossOf(k) }, killed: func(client string) bool { return c.isKilled(k, client) }, lines: map[*line]struct{}{}}
		k.gates = append(k.gates, g)
		return g, nil
	}
}

func (c *Clusters) lossOf(k *cluster) Loss {
	c.mu.Lock()
	defer c.mu.Unlock()
	return k.lost
}

func (c *Clusters) isKilled(k *cluster, client string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.killed[client] || k.severed[client]
}

// Cut makes a cluster unreachable for everybody, until Mend. It goes on to live: sessions of its groups time out.
func (c *Clusters) Cut(a topology.Alias, how Loss) { c.set(a, how) }

// Mend makes a cluster reachable again. Connections that were silent are closed.
func (c *Clusters) Mend(a topology.Alias) { c.set(a, none) }

func (c *Clusters) set(a topology.Alias, how Loss) {
	c.mu.Lock()
	k := c.by[a]
	if k == nil {
		c.mu.Unlock()
		return
	}
	k.lost = how
	c.mu.Unlock()
	for _, g := range k.gates {
		g.cut(how)
	}
}

// Kill closes the connections of a client, known by its client id, to all clusters, and all that it makes until Revive: what
// clusters see of a process that died.
func (c *Clusters) Kill(client string) {
	c.mu.Lock()
	if c.killed == nil {
		c.killed = map[string]bool{}
	}
	c.killed[client] = true
	var gates []*gate
	for _, k := range c.by {
		gates = append(gates, k.gates...)
	}
	c.mu.Unlock()
	for _, g := range gates {
		g.kill(client)
	}
}

// Sever closes the connections of a client to one cluster, and all that it makes until Join: a line between the two that is cut.
func (c *Clusters) Sever(client string, a topology.Alias) {
	c.mu.Lock()
	k := c.by[a]
	if k == nil {
		c.mu.Unlock()
		return
	}
	if k.severed == nil {
		k.severed = map[string]bool{}
	}
	k.severed[client] = true
	c.mu.Unlock()
	for _, g := range k.gates {
		g.kill(client)
	}
}

// Join ends a Sever.
func (c *Clusters) Join(client string, a topology.Alias) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.by[a]; k != nil {
		delete(k.severed, client)
	}
}

// Revive ends a Kill.
func (c *Clusters) Revive(client string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.killed, client)
}

// Close ends all clusters.
func (c *Clusters) Close() {
	c.mu.Lock()
	by := c.by
	c.by = nil
	c.mu.Unlock()
	for _, k := range by {
		k.kafka.Close()
		for _, g := range k.gates {
			_ = g.Close() // kfake has closed the listener; this ends silent connections
		}
	}
}
