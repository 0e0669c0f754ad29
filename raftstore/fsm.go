package raftstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/raft"

	"github.com/meshd/meshd/raftstore/state"
)

// saved is a state and how far in the log it is: the content of a snapshot and of state.json.
type saved struct {
	Index uint64          `json:"index"`
	State json.RawMessage `json:"state"`
}

func encodeSaved(index uint64, s state.State) ([]byte, error) {
	raw, err := s.Encode()
	if err != nil {
		return nil, err
	}
	return json.Marshal(saved{Index: index, State: raw})
}

func decodeSaved(raw []byte) (uint64, state.State, error) {
	var s saved
	if err := json.Unmarshal(raw, &s); err != nil {
		return 0, state.State{}, err
	}
	decoded, err := state.DecodeState(s.State)
	return s.Index, decoded, err
}

// fsm is the adapter between raft and state.Apply. Raft calls it from one goroutine.
type fsm struct {
	index   uint64
	state   state.State
	publish func(index uint64, s state.State)
}

var _ raft.FSM = (*fsm)(nil)

// proposed is what a proposal comes to, on the node that proposed it.
type proposed struct {
	index  uint64
	result state.Result
}

// Apply applies one committed command. What it can't decode it must not skip.
func (f *fsm) Apply(l *raft.Log) any {
	command, err := state.DecodeCommand(l.Data)
	if err != nil {
		panic(fmt.Sprintf("raft entry %d can't be applied: %v", l.Index, err))
	}
	var result state.Result
	f.state, result = state.Apply(f.state, command)
	f.index = l.Index
	f.publish(f.index, f.state)
	return proposed{index: l.Index, result: result}
}

// Snapshot returns the state as it is: states are values.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	raw, err := encodeSaved(f.index, f.state)
	if err != nil {
		return nil, err
	}
	return snapshot(raw), nil
}

// Restore replaces the state.
func (f *fsm) Restore(from io.ReadCloser) error {
	defer from.Close()
	raw, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	index, s, err := decodeSaved(raw)
	if err != nil {
		return fmt.Errorf("restoring a snapshot: %w", err)
	}
	f.index, f.state = index, s
	f.publish(index, s)
	return nil
}

type snapshot []byte

// Persist writes the snapshot.
func (s snapshot) Persist(to raft.SnapshotSink) error {
	if _, err := to.Write(s); err != nil {
		return errors.Join(err, to.Cancel())
	}
	return to.Close()
}

// Release has nothing to release.
func (snapshot) Release() {}
