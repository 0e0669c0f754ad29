package admin

import (
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// Status answers /v1/status: what is wrong, and what every link does.
type Status struct {
	At       time.Time            `json:"at"`
	Mesh     string               `json:"mesh"`
	Nodes    []NodeBrief          `json:"nodes"`    // those that say this; one, unless statuses were merged
	Problems []Problem            `json:"problems"` // the worst first
	Links    []LinkStatus         `json:"links"`
	Clusters []flow.ClusterStatus `json:"clusters"`
}

// NodeBrief is a node that answers.
type NodeBrief struct {
	Node       string         `json:"node"`
	Datacenter string         `json:"datacenter"`
	Build      string         `json:"build"`
	Topology   topology.Stamp `json:"topology"`
	Ready      bool           `json:"ready"`
}

// Level is how bad a problem is.
type Level string

// The levels. Critical: a whole link stands still. Error: a part of one does. Warning: everything moves, and a person should look.
const (
	LevelCritical Level = "critical"
	LevelError    Level = "error"
	LevelWarning  Level = "warning"
)

// Problem is one thing that is wrong.
type Problem struct {
	Level Level      `json:"level"`
	Where string     `json:"where"` // what it concerns, such as "us->eu: orders"
	Code  string     `json:"code"`
	Text  string     `json:"text"` // of the first that has it
	Hint  string     `json:"hint,omitempty"`
	Since *time.Time `json:"since,omitempty"` // when the node that says this saw it first; null where that is not noted
	Count int        `json:"count"`           // how many have it
	Of    string     `json:"of"`              // what is counted: partition, shard, topic, link, cluster, group, node or topology
}

// LinkStatus is what comes from one cluster to another: over one direction of a link, or, where none leads from the one to the other, over
// others. Numbers that are null are not known here: the sum of something unknown is unknown.
type LinkStatus struct {
	Link        string             `json:"link"` // us->eu
	Name        string             `json:"name"` // of the link in the topology; "" where none leads from the source to the destination
	Source      topology.Alias     `json:"source"`
	Destination topology.Alias     `json:"destination"`
	State       flow.State         `json:"state"` // the worst of its partitions
	Up          bool               `json:"up"`    // something moves, or there is nothing to move
	Ready       bool               `json:"ready"` // its topics have been looked at
	Reason      *kafka.Reason      `json:"reason,omitempty"`
	Topics      int                `json:"topics"`
	Partitions  int                `json:"partitions"`  // held by the nodes that say this
	Moving      int                `json:"moving"`      // of them
	Via         []topology.Alias   `json:"via"`         // clusters other than the source at which something of it is read
	LagRecords  *int64             `json:"lag_records"` // offsets of the logs that are read which are not copied, at least
	RPOSeconds  *float64           `json:"rpo_seconds"` // all that the source had so long ago is at the destination; at least so long while opening; null where Via is not empty
	HopSeconds  *float64           `json:"hop_seconds"` // the same of the logs that are read, wherever that is
	Totals      Totals             `json:"totals"`      // of its topics
	Shards      []flow.ShardStatus `json:"shards"`      // those that have partitions

	ThrottledSeconds float64 `json:"throttled_seconds"` // for how long limit.bytes_per_second has held reading back
}

// States of a link besides those of its partitions.
const (
	Elsewhere flow.State = "elsewhere" // in the topology, but the nodes that say this hold nothing of it
	Paused    flow.State = "paused"    // by the topology
)

// FlowsAnswer answers /v1/flows.
type FlowsAnswer struct {
	At    time.Time    `json:"at"`
	Flows []FlowStatus `json:"flows"`
}

// FlowStatus is one topic over one direction of a link.
type FlowStatus struct {
	Link        string            `json:"link"`
	Source      topology.Alias    `json:"source"`
	Destination topology.Alias    `json:"destination"`
	Topic       string            `json:"topic"`
	Remote      string            `json:"remote,omitempty"` // its name at the destination
	Kind        loop.Kind         `json:"kind"`
	State       flow.State        `json:"state"` // the worst of its partitions
	Reason      *kafka.Reason     `json:"reason,omitempty"`
	Warnings    []kafka.Reason    `json:"warnings,omitempty"`   // what does not stop it: of each code the first
	Partitions  int               `json:"partitions"`           // at the source
	Held        int               `json:"held"`                 // of them, by the nodes that say this
	From        []topology.Alias  `json:"from"`                 // where it is read: the source, or another cluster that has its records
	FromWhy     loop.Reason       `json:"from_why,omitempty"`   // of several, the first; "" where there is no other way
	FromSince   *time.Time        `json:"from_since,omitempty"` // when it was changed to that last; left out: it was not
	Identity    bool              `json:"identity"`             // it has one name everywhere
	Incarnation int32             `json:"incarnation"`          // how often it was made again at the source, and that accepted
	BelowCut    int64             `json:"below_cut,omitempty"`  // offsets at the source that an import there left out for good
	LagRecords  *int64            `json:"lag_records"`          // of the logs that are read
	LagSeconds  *float64          `json:"lag_seconds"`          // all that the log that is read had so long ago is at the destination; at least so long while opening
	Totals      Totals            `json:"totals"`
	Parts       []PartitionStatus `json:"partition_list,omitempty"`
}

// Totals counts what a node copied since its process began. They never go back, also where shards leave and return. What a
// partition did in the last second before it left may be missing.
type Totals struct {
	Records    int64 `json:"records"`
	Bytes      int64 `json:"bytes"`       // of record batches, as they were written
	Aborted    int64 `json:"aborted"`     // records of aborted transactions, left out
	GapRecords int64 `json:"gap_records"` // offsets that could not be had from the source, stepped over because the topology says so
	Corrupt    int64 `json:"corrupt_batches"`

	Gaps  flow.GapCounts `json:"gaps"`  // GapRecords, by why
	Ruled flow.Ruled     `json:"ruled"` // records that were read, by what the rules against loops and duplicates made of them
}

// PartitionStatus is one partition of a flow.
type PartitionStatus struct {
	Partition   int32          `json:"partition"`
	Shard       int            `json:"shard"`
	State       flow.State     `json:"state"`
	Reason      *kafka.Reason  `json:"reason,omitempty"`
	From        topology.Alias `json:"from"`        // where it is read
	Next        *int64         `json:"next"`        // source offset that is copied next; null until it is open
	Read        *int64         `json:"read"`        // offset in the log that is read, below which all is copied; null until it is open
	Destination *int64         `json:"destination"` // offset where it will be; null until it is open
	End         *int64         `json:"source_end"`  // of the log that is read; null until it is heard
	LagRecords  *int64         `json:"lag_records"` // of the log that is read
	LagSeconds  *float64       `json:"lag_seconds"`
	MapBytes    int            `json:"map_bytes"`
	Broker      *int32         `json:"source_broker,omitempty"` // that it is read from
}
