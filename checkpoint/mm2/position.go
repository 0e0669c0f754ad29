package mm2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// sourceConnector is the name under which MirrorMaker 2, run by itself, keeps the positions of what it copies. The heartbeat
// and the checkpoint connector keep theirs, which mean nothing, in the same topic.
const sourceConnector = "MirrorSourceConnector"

// ErrOtherConnector says that a record of an offsets topic is not about copying: it is to be passed over.
var ErrOtherConnector = errors.New("offset belongs to another connector")

// NoPosition is the Next of a partition of which MirrorMaker 2 has noted nothing, or whose note was taken back: it would
// start at the beginning of the log.
const NoPosition = -1

// Position is how far MirrorMaker 2 has copied a partition of a source cluster.
type Position struct {
	Cluster   string // alias of the source
	Topic     string // as it is called at the source
	Partition int32
	Next      int64 // source offset of the first record not yet copied, or NoPosition
}

// DecodePosition reads a record of an offsets topic as Connect writes it: key ["MirrorSourceConnector",{"cluster":c,
// "partition":n,"topic":t}], value {"offset":n} with the offset of the last record copied, or null. Of several records with one
// cluster, topic and partition the last in the log holds; their keys may differ in the order of the fields.
func DecodePosition(key, value []byte) (Position, error) {
	p, err := decodePartition(key)
	if err != nil {
		return Position{}, fmt.Errorf("decoding key of offset: %w", err)
	}
	last, err := decodeOffset(value)
	if err != nil {
		return Position{}, fmt.Errorf("decoding value of offset: %w", err)
	}
	p.Next = last + 1
	if last < 0 {
		p.Next = NoPosition
	}
	return p, nil
}

func decodePartition(key []byte) (p Position, err error) {
	if key == nil {
		return p, ErrNull
	}
	var pair []json.RawMessage
	if err := one(key, &pair); err != nil {
		return p, err
	}
	if len(pair) != 2 {
		return p, fmt.Errorf("reading an array of %d: %w", len(pair), ErrRange)
	}
	var connector string
	if err := one(pair[0], &connector); err != nil {
		return p, err
	}
	if connector != sourceConnector {
		return p, fmt.Errorf("reading offset of %q: %w", connector, ErrOtherConnector)
	}
	var fields map[string]json.RawMessage
	if err := one(pair[1], &fields); err != nil {
		return p, err
	}
	err = errors.Join(field(fields, "cluster", &p.Cluster), field(fields, "topic", &p.Topic), field(fields, "partition", &p.Partition))
	if err == nil && (len(fields) != 3 || p.Partition < 0) {
		err = fmt.Errorf("reading %s: %w", pair[1], ErrRange)
	}
	return p, err
}

// decodeOffset returns the offset of the last record copied; -1 where there is none.
func decodeOffset(value []byte) (int64, error) {
	if value == nil {
		return -1, nil
	}
	var fields map[string]json.RawMessage
	if err := one(value, &fields); err != nil {
		return 0, err
	}
	if raw, ok := fields["offset"]; !ok || string(raw) == "null" {
		return -1, nil
	}
	var offset int64
	if err := field(fields, "offset", &offset); err != nil {
		return 0, err
	}
	if offset == math.MaxInt64 {
		return 0, fmt.Errorf("reading offset %d: %w", offset, ErrRange)
	}
	return offset, nil
}

func field[T any](fields map[string]json.RawMessage, name string, into *T) error {
	raw, ok := fields[name]
	if !ok || string(raw) == "null" {
		return fmt.Errorf("reading %s: %w", name, ErrShort)
	}
	if err := one(raw, into); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

// one decodes exactly one JSON value.
func one(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ErrTrailing
	}
	return nil
}
