package mesh

import (
	"github.com/meshd/meshd/mesh/placement"
	"github.com/meshd/meshd/raftstore/state"
	"github.com/meshd/meshd/topology"
)

// Desired is everything that a node is to run.
type Desired struct {
	Topology *topology.Topology
	Held     []placement.Held
	Paused   map[state.Pause]bool // links and topics that an operator paused
}

// Runner is the data path. Of a shard it is told, in Held.Over, the registration that it goes past. It registers only while that is
// the last one of the shard, and otherwise waits to be told of another. While its own registration is the last, Over names that, and
// it has to try again by itself when it is fenced: whoever fenced it may have died before it registered. When Over names a later one
// than its own, somebody else had the shard in between, and it opens it anew.
type Runner interface {
	// Apply makes what runs be what is desired: the whole set, every time. It stops before it starts, and may take as long as it
	// takes to drain what it stops. Calls don't overlap. After an error it is called again with what is desired by then.
	Apply(Desired) error
	// Load returns the bytes/s that each running shard has written lately.
	Load() map[topology.Shard]float64
}

// Liveness is what Kafka says of who writes into the clusters of this node's datacenter. Its reader follows the topology that Apply
// brought last, also where nothing is held: without it nothing is opened.
type Liveness interface {
	// View returns a copy for each destination.
	View() map[topology.Alias]placement.Kafka
	// Watch returns a channel that is signalled when a registration changed, once for several; the function ends it.
	Watch() (<-chan struct{}, func())
}
