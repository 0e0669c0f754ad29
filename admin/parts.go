package admin

import (
	"context"
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

// Flows is the data path of this node.
type Flows interface{ Status() flow.Status }

// Groups is what this node does for consumer groups: an account for each cluster into which it moves them.
type Groups interface{ Groups() []GroupsAt }

// Nodes is who belongs to the mesh, as this node sees it.
type Nodes interface{ Nodes() []NodeStatus }

// Topologies is which topology runs, and which others were offered.
type Topologies interface{ Topology() TopologyStatus }

// Translator says where a place in one cluster is in another. It answers for every partition that it was asked for, with a
// reason where it can't. An error means that it could not answer at all; ErrUnknown, that it does not know what it was asked for.
type Translator interface {
	Translate(context.Context, TranslateRequest) ([]Translation, error)
}

// GroupsAt is what is done for the groups at one cluster.
type GroupsAt struct {
	Home     topology.Alias
	SyncedAt time.Time // end of the last round that succeeded; zero: none did
	Error    string    // why the round after that failed; "" if none did
	Groups   []GroupStatus
}

// TopologyStatus is what a node knows of topologies.
type TopologyStatus struct {
	Current  *topology.Topology // what runs here; nil before the first was accepted
	Accepted topology.Stamp     // what the datacenter agreed upon; zero while that is not known
	Offered  []Offer            // what was not taken, and why
}

// Offer is a topology that this node heard of and does not run.
type Offer struct {
	topology.Stamp
	From string `json:"from"` // a node, or a file
	Why  string `json:"why"`
	Hint string `json:"hint,omitempty"`
}
