package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/meshd/meshd/topology"
)

// FormatVersion is the newest format of commands and snapshots that this code reads and the one that it writes. The format is
// JSON: rates are low, and a raft log that a person can read is worth its bytes.
const FormatVersion = 1

// ErrFuture is returned for a command or snapshot in a newer format than FormatVersion.
var ErrFuture = errors.New("written by a newer meshd: upgrade this node")

// Command is a change that is proposed. Exactly one field is set.
type Command struct {
	Accept *Accept   `json:"accept,omitempty"`
	Assign *Assign   `json:"assign,omitempty"`
	Pause  *SetPause `json:"pause,omitempty"`
}

// Accept proposes a topology.
type Accept struct {
	Topology Topology `json:"topology"`
	// Heard says that it runs elsewhere in the mesh already. Of two edits with one version the same then wins everywhere. One that
	// a person offers is refused instead.
	Heard bool `json:"heard,omitempty"`
}

// Assign proposes the whole assignment.
type Assign struct {
	Base   uint64       `json:"base"`            // epoch of the assignment that this was made from; refused if it is another
	Floor  uint64       `json:"floor,omitempty"` // highest epoch that any holder is known to hold by; the new epoch is above it
	Owners []ShardOwner `json:"owners"`          // a shard that is left out has no owner
}

// ShardOwner is an entry of Assign.
type ShardOwner struct {
	topology.Shard
	Node string `json:"node"`
}

// SetPause pauses or resumes.
type SetPause struct {
	Pause
	Paused bool `json:"paused"`
}

type envelope struct {
	Version int `json:"v"`
	Command
}

// Encode returns the bytes of a command for the raft log.
func (c Command) Encode() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return json.Marshal(envelope{Version: FormatVersion, Command: c})
}

// DecodeCommand reads what Encode wrote. It returns ErrFuture for a newer format, and an error for what is not a command.
func DecodeCommand(raw []byte) (Command, error) {
	var e envelope
	if err := decode(raw, &e, &e.Version); err != nil {
		return Command{}, fmt.Errorf("decoding a command: %w", err)
	}
	return e.Command, e.check()
}

func (c Command) check() error {
	set := 0
	for _, is := range []bool{c.Accept != nil, c.Assign != nil, c.Pause != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("a command sets one field, not %d", set)
	}
	return nil
}

// decode reads one JSON value of a known version and nothing after it. The version is read first: a newer format may hold
// anything else.
func decode(raw []byte, into any, version *int) error {
	var head struct {
		Version int `json:"v"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return err
	}
	if head.Version > FormatVersion {
		return fmt.Errorf("format %d, known is %d: %w", head.Version, FormatVersion, ErrFuture)
	}
	if head.Version < 1 {
		return fmt.Errorf("format %d is none", head.Version)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("bytes after the end")
	}
	*version = head.Version
	return nil
}
