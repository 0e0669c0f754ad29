package state

import (
	"fmt"

	"github.com/meshd/meshd/topology"
)

// Refusal says why a command was not carried out.
type Refusal string

// The refusals.
const (
	RefusedOlder    Refusal = "older"    // an older topology than the accepted one
	RefusedConflict Refusal = "conflict" // another topology with the accepted one's version
	RefusedStale    Refusal = "stale"    // an assignment made from another one than the current
)

// Result is what became of a command. A refused command changed nothing.
type Result struct {
	Epoch   uint64  // of the assignment after the command
	Changed bool    // false also where what was proposed is so already
	Refused Refusal // "": carried out
	Reason  string  // of a refusal, in words
}

// Err returns the refusal as an error, and nil if there is none.
func (r Result) Err() error {
	if r.Refused == "" {
		return nil
	}
	return &RefusedError{Refusal: r.Refused, Reason: r.Reason}
}

// RefusedError is a refusal as an error.
type RefusedError struct {
	Refusal Refusal
	Reason  string
}

func (e *RefusedError) Error() string { return e.Reason }

// Apply returns the state after a command, and what became of it. It does not change the state that it is given.
func Apply(s State, c Command) (State, Result) {
	switch {
	case c.Accept != nil:
		return accept(s, *c.Accept)
	case c.Assign != nil:
		return assign(s, *c.Assign)
	default:
		return setPause(s, *c.Pause)
	}
}

func accept(s State, c Accept) (State, Result) {
	offered, current := c.Topology, s.Topology
	switch {
	case offered.Stamp == current.Stamp:
		return s, Result{Epoch: s.Assignment.Epoch}
	case offered.Version == current.Version && !c.Heard:
		return s, refuse(s, RefusedConflict, fmt.Sprintf(
			"topology version %d runs with hash %s; the one offered has the same version and hash %s: raise its version",
			current.Version, current.Hash, offered.Hash))
	case !offered.Above(current):
		return s, refuse(s, RefusedOlder, fmt.Sprintf(
			"topology version %d (hash %s) runs; the one offered is version %d (hash %s)",
			current.Version, current.Hash, offered.Version, offered.Hash))
	}
	if offered.Forked(current) {
		s.Lost = current
	}
	s.Topology = offered
	return s, Result{Epoch: s.Assignment.Epoch, Changed: true}
}

func assign(s State, c Assign) (State, Result) {
	old := s.Assignment
	if c.Base != old.Epoch {
		return s, refuse(s, RefusedStale, fmt.Sprintf("the assignment was made from epoch %d; the current one is %d", c.Base, old.Epoch))
	}
	next := Assignment{Epoch: max(old.Epoch, c.Floor) + 1, Shards: make(map[topology.Shard]Owner, len(c.Owners))}
	changed := false
	for _, o := range c.Owners {
		owner, had := old.Shards[o.Shard]
		if !had || owner.Node != o.Node {
			owner, changed = Owner{Node: o.Node, Epoch: next.Epoch}, true
		}
		next.Shards[o.Shard] = owner
	}
	if !changed && len(next.Shards) == len(old.Shards) {
		return s, Result{Epoch: old.Epoch}
	}
	s.Assignment = next
	return s, Result{Epoch: next.Epoch, Changed: true}
}

func setPause(s State, c SetPause) (State, Result) {
	if s.Pauses[c.Pause] == c.Paused {
		return s, Result{Epoch: s.Assignment.Epoch}
	}
	return s.withPause(c.Pause, c.Paused), Result{Epoch: s.Assignment.Epoch, Changed: true}
}

func refuse(s State, why Refusal, reason string) Result {
	return Result{Epoch: s.Assignment.Epoch, Refused: why, Reason: reason}
}
