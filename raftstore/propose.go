package raftstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/meshd/meshd/raftstore/state"
)

// ErrNotLeader is what a NotLeaderError is.
var ErrNotLeader = errors.New("this node is not the leader of its datacenter")

// NotLeaderError says who the leader is.
type NotLeaderError struct {
	Node    string // "": nobody
	Address string // of its raft
}

func (e *NotLeaderError) Error() string {
	if e.Node == "" {
		return "the datacenter has no leader: fewer than half of its nodes are up, or an election is going on"
	}
	return ErrNotLeader.Error() + ": it is " + e.Node
}

// Is says that it is ErrNotLeader.
func (e *NotLeaderError) Is(target error) bool { return target == ErrNotLeader }

// enqueueTimeout bounds how long a proposal waits to be taken up.
const enqueueTimeout = 2 * time.Second

// Propose has a command agreed on and applied. It returns what became of it, which may be a refusal, and its index. A
// NotLeaderError means that nothing was proposed; any other error, that the command may yet be applied. It returns within about a
// second more than ctx allows: a leader without a quorum gives up by itself.
func (s *Store) Propose(ctx context.Context, c state.Command) (state.Result, uint64, error) {
	raw, err := c.Encode()
	if err != nil {
		return state.Result{}, 0, err
	}
	if err := ctx.Err(); err != nil {
		return state.Result{}, 0, context.Cause(ctx)
	}
	timeout := enqueueTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(time.Millisecond, min(timeout, time.Until(deadline)))
	}
	future := s.raft.Apply(raw, timeout)
	if err := future.Error(); err != nil {
		return state.Result{}, 0, s.explain("proposing", err)
	}
	done, ok := future.Response().(proposed)
	if !ok {
		return state.Result{}, 0, fmt.Errorf("proposing: raft answered %v", future.Response())
	}
	return done.result, done.index, nil
}

func (s *Store) explain(what string, err error) error {
	if errors.Is(err, raft.ErrNotLeader) {
		node, address := s.Leader()
		return &NotLeaderError{Node: node, Address: address}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Leader returns the leader's name and raft address as this node knows them, "" if it knows none.
func (s *Store) Leader() (node, address string) {
	at, id := s.raft.LeaderWithID()
	return string(id), string(at)
}

// IsLeader says whether this node is the leader, as far as it knows.
func (s *Store) IsLeader() bool { return s.raft.State() == raft.Leader }

// StepDown hands the leadership to another node, if this one has it and there is another. It takes about a second at most.
func (s *Store) StepDown() error {
	if !s.IsLeader() {
		return nil
	}
	if err := s.raft.LeadershipTransfer().Error(); err != nil {
		return fmt.Errorf("handing over the leadership: %w", err)
	}
	return nil
}

// Snapshot makes raft write a snapshot now.
func (s *Store) Snapshot() error { return s.raft.Snapshot().Error() }
