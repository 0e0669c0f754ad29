package state

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/meshd/meshd/topology"
)

type snapshot struct {
	Version  int          `json:"v"`
	Topology *Topology    `json:"topology,omitempty"`
	Lost     *Topology    `json:"lost,omitempty"`
	Epoch    uint64       `json:"epoch"`
	Shards   []shardEntry `json:"shards"`
	Pauses   []Pause      `json:"pauses"`
}

type shardEntry struct {
	topology.Shard
	Node  string `json:"node"`
	Epoch uint64 `json:"epoch"`
}

// Encode returns the state as bytes. Equal states give equal bytes.
func (s State) Encode() ([]byte, error) {
	snap := snapshot{Version: FormatVersion, Topology: optional(s.Topology), Lost: optional(s.Lost), Epoch: s.Assignment.Epoch}
	for shard, owner := range s.Assignment.Shards {
		snap.Shards = append(snap.Shards, shardEntry{Shard: shard, Node: owner.Node, Epoch: owner.Epoch})
	}
	slices.SortFunc(snap.Shards, func(a, b shardEntry) int { return CompareShards(a.Shard, b.Shard) })
	for p := range s.Pauses {
		snap.Pauses = append(snap.Pauses, p)
	}
	slices.SortFunc(snap.Pauses, func(a, b Pause) int {
		return cmp.Or(cmp.Compare(a.Link, b.Link), cmp.Compare(a.Topic, b.Topic))
	})
	return json.Marshal(snap)
}

// DecodeState reads what Encode wrote. It returns ErrFuture for a newer format.
func DecodeState(raw []byte) (State, error) {
	var snap snapshot
	if err := decode(raw, &snap, &snap.Version); err != nil {
		return State{}, fmt.Errorf("decoding a snapshot: %w", err)
	}
	s := State{Assignment: Assignment{Epoch: snap.Epoch}}
	if snap.Topology != nil {
		s.Topology = *snap.Topology
	}
	if snap.Lost != nil {
		s.Lost = *snap.Lost
	}
	if len(snap.Shards) > 0 {
		s.Assignment.Shards = make(map[topology.Shard]Owner, len(snap.Shards))
	}
	for _, e := range snap.Shards {
		s.Assignment.Shards[e.Shard] = Owner{Node: e.Node, Epoch: e.Epoch}
	}
	for _, p := range snap.Pauses {
		s = s.withPause(p, true)
	}
	return s, nil
}

func optional(t Topology) *Topology {
	if t.Hash == "" {
		return nil
	}
	return &t
}

// CompareShards orders shards.
func CompareShards(a, b topology.Shard) int {
	return cmp.Or(cmp.Compare(a.Origin, b.Origin), cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Number, b.Number))
}
