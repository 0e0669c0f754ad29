package admin

import (
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// GroupsAnswer answers /v1/groups.
type GroupsAnswer struct {
	At     time.Time     `json:"at"`
	Groups []GroupStatus `json:"groups"`
}

// GroupStatus is one consumer group at one cluster, its home, into which meshd moves it.
type GroupStatus struct {
	Group      string           `json:"group"`
	Home       topology.Alias   `json:"home"` // set by the server, as are State and SyncedAt
	State      GroupState       `json:"state"`
	Why        string           `json:"why,omitempty"` // it was to be moved, and could not be
	Hint       string           `json:"hint,omitempty"`
	Active     []topology.Alias `json:"active"`  // clusters where it has members
	Chain      []topology.Alias `json:"chain"`   // clusters whose commits count
	Rereads    int64            `json:"rereads"` // consumed records that it would see again at its home, at most
	SyncedAt   time.Time        `json:"synced_at,omitzero"`
	Partitions []GroupPartition `json:"partitions"`
}

// GroupState is what is done for a group.
type GroupState string

// The states of a group, from good to bad.
const (
	GroupSynced    GroupState = "synced"     // its places at home follow its commits elsewhere
	GroupActive    GroupState = "active"     // it has members at its home, where nobody moves it
	GroupWaiting   GroupState = "waiting"    // for a map, or for a cluster that can't be read
	GroupLeftAlone GroupState = "left_alone" // some of it is not moved, and time alone does not change that
	GroupFailing   GroupState = "failing"    // no group is synced there now
)

// GroupPartition is where a group stands in one partition at its home.
type GroupPartition struct {
	Topic     string             `json:"topic"` // as it is named at the home
	Partition int32              `json:"partition"`
	Source    *int64             `json:"source_commit"`     // what it has consumed, as an offset at the origin; null: not known
	Offset    *int64             `json:"offset"`            // where it goes on at home; null: not known
	Exact     bool               `json:"exact"`             // it sees no consumed record again
	Rereads   int64              `json:"rereads"`           // how many it sees again, at most
	How       string             `json:"how,omitempty"`     // in what way the offset was found
	Why       offsetxlate.Reason `json:"why,omitempty"`     // why the commit at home is not set to it
	Cluster   topology.Alias     `json:"cluster,omitempty"` // that Why speaks of
}

// TranslateRequest asks for places of a group, or for one place of a partition.
type TranslateRequest struct {
	From  topology.Alias
	To    topology.Alias
	Group string // "": Point is asked for
	Point *Point
}

// Point is a place in a partition at the cluster From, where the topic is named as it is there.
type Point struct {
	Topic     string
	Partition int32
	Offset    int64 // of the next record to consume
}

// TranslateAnswer answers /v1/translate.
type TranslateAnswer struct {
	At           time.Time      `json:"at"`
	Group        string         `json:"group,omitempty"`
	From         topology.Alias `json:"from"`
	To           topology.Alias `json:"to"`
	Translations []Translation  `json:"translations"`
}

// Translation is a place, translated.
type Translation struct {
	Topic     string        `json:"topic"` // at From
	Partition int32         `json:"partition"`
	Offset    int64         `json:"offset"`
	ToTopic   string        `json:"to_topic,omitempty"`
	ToOffset  *int64        `json:"to_offset"` // null: Reason says why
	Exact     bool          `json:"exact"`
	Rereads   int64         `json:"rereads"`       // consumed records behind ToOffset, at most
	How       string        `json:"how,omitempty"` // in what way it was found
	Reason    *kafka.Reason `json:"reason,omitempty"`
}

// NodesAnswer answers /v1/nodes.
type NodesAnswer struct {
	At    time.Time    `json:"at"`
	Node  string       `json:"node"` // whose view it is
	Nodes []NodeStatus `json:"nodes"`
}

// NodeStatus is one node of the mesh.
type NodeStatus struct {
	Name       string         `json:"name"`
	Datacenter string         `json:"datacenter"`
	Alive      bool           `json:"alive"`
	Leader     bool           `json:"leader"` // of its datacenter
	Voter      bool           `json:"voter"`
	Topology   topology.Stamp `json:"topology"`
	Gossip     string         `json:"gossip"`
	Raft       string         `json:"raft"`
	Admin      string         `json:"admin"`
	Shards     int            `json:"shards"` // held
	Build      string         `json:"build"`
}

// TopologyAnswer answers /v1/topology.
type TopologyAnswer struct {
	At       time.Time      `json:"at"`
	Running  *TopologyText  `json:"running"`  // null before the first was accepted
	Accepted topology.Stamp `json:"accepted"` // by the datacenter; version 0 while that is not known
	Offered  []Offer        `json:"offered"`  // and not taken
}

// TopologyText is a topology as its author wrote it.
type TopologyText struct {
	topology.Stamp
	Mesh     string   `json:"mesh"`
	Parent   string   `json:"parent,omitempty"` // hash of the version that it was made from
	Source   string   `json:"source"`
	Warnings []string `json:"warnings"`
}

// ReadyAnswer answers /readyz.
type ReadyAnswer struct {
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons,omitempty"` // why not; left out for those who may not view
}

// ErrorAnswer is the body of every answer with a status of 400 or more, /readyz apart.
type ErrorAnswer struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}
