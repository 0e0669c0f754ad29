package state

import (
	"maps"

	"github.com/meshd/meshd/topology"
)

// State is what a datacenter's nodes agree on. It is a value: Apply returns a new one. The zero State is the one before the
// first command.
type State struct {
	Topology   Topology
	Lost       Topology // the last edit that lost a fork; zero: none
	Assignment Assignment
	Pauses     map[Pause]bool // present is paused
}

// Topology is a topology as it was accepted. The zero Topology is none.
type Topology struct {
	topology.Stamp
	Parent  string `json:"parent,omitempty"` // hash of the version that this one was made from
	Encoded []byte `json:"encoded"`          // by topology.Topology.Encode
}

// NewTopology returns t as it is kept here.
func NewTopology(t *topology.Topology) Topology {
	return Topology{Stamp: t.Stamp(), Parent: t.Parent, Encoded: t.Encode()}
}

// Above says whether t comes after o in the order of (version, hash).
func (t Topology) Above(o Topology) bool { return t.Compare(o.Stamp) > 0 }

// Forked says whether t and o were made beside each other: two edits of one version, or two children of one parent.
func (t Topology) Forked(o Topology) bool {
	if t.Hash == o.Hash || t.Hash == "" || o.Hash == "" {
		return false
	}
	return t.Version == o.Version || (t.Parent != "" && t.Parent == o.Parent)
}

// Owner is the node that should write a shard, and the epoch of the assignment that gave it the shard.
type Owner struct {
	Node  string
	Epoch uint64
}

// Assignment says which node should write each shard. Epoch is that of its newest entry or higher.
type Assignment struct {
	Epoch  uint64
	Shards map[topology.Shard]Owner
}

// Nodes returns the owners without their epochs.
func (a Assignment) Nodes() map[topology.Shard]string {
	nodes := make(map[topology.Shard]string, len(a.Shards))
	for shard, owner := range a.Shards {
		nodes[shard] = owner.Node
	}
	return nodes
}

// Pause names what an operator paused: a link, or one topic of it.
type Pause struct {
	Link  string `json:"link"`
	Topic string `json:"topic,omitempty"` // "": the whole link
}

func (s State) withPause(p Pause, paused bool) State {
	s.Pauses = maps.Clone(s.Pauses)
	if !paused {
		delete(s.Pauses, p)
		return s
	}
	if s.Pauses == nil {
		s.Pauses = map[Pause]bool{}
	}
	s.Pauses[p] = true
	return s
}
