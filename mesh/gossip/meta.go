package gossip

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/meshd/meshd/topology"
)

// format is the version of everything that nodes tell each other here.
const format = 1

// Meta is what a node says of itself in every alive message.
type Meta struct {
	Datacenter string         `json:"dc"`
	Topology   topology.Stamp `json:"t"`           // that it runs by
	Leaving    bool           `json:"l,omitempty"` // it is about to stop, and wants to hand over what it writes
	Leader     bool           `json:"ld,omitempty"`
	Shards     int            `json:"s,omitempty"` // that it holds
	Raft       string         `json:"r,omitempty"`
	Admin      string         `json:"a,omitempty"`
	Build      string         `json:"b,omitempty"`
}

type wireMeta struct {
	Format int `json:"v"`
	Meta
}

// encode returns the meta data in at most limit bytes. Where long addresses make them longer those are left out: the topology has them
// too.
func (m Meta) encode(limit int) []byte {
	short := m
	short.Raft, short.Admin, short.Build = "", "", ""
	for _, m := range []Meta{m, short} {
		if raw, err := json.Marshal(wireMeta{format, m}); err == nil && len(raw) <= limit {
			return raw
		}
	}
	return nil // names of hundreds of bytes, which the topology refuses; others then refuse this node
}

func decodeMeta(raw []byte) (Meta, error) {
	var m wireMeta
	if err := json.Unmarshal(raw, &m); err != nil {
		return Meta{}, fmt.Errorf("decoding a node's meta data: %w", err)
	}
	if m.Format != format {
		return Meta{}, fmt.Errorf("meta data of format %d, known is %d", m.Format, format)
	}
	return m.Meta, nil
}

// encodeState is the push/pull state: who says it, and the topology that it runs by.
func encodeState(from string, encoded []byte) []byte {
	b := append([]byte{format}, binary.AppendUvarint(nil, uint64(len(from)))...)
	return append(append(b, from...), encoded...)
}

func decodeState(raw []byte) (from string, encoded []byte, err error) {
	if len(raw) == 0 || raw[0] != format {
		return "", nil, errors.New("push/pull state of an unknown format")
	}
	n, size := binary.Uvarint(raw[1:])
	if size <= 0 || n > uint64(len(raw)-1-size) {
		return "", nil, errors.New("push/pull state ends early")
	}
	rest := raw[1+size:]
	return string(rest[:n]), rest[n:], nil
}

// digest is the message with a node's load.
type digest struct {
	Format int    `json:"v"`
	Node   string `json:"n"`
	Load   []load `json:"l"`
}

type load struct {
	topology.Shard
	BytesPerSecond float64 `json:"b"`
}

func encodeLoad(node string, loads map[topology.Shard]float64) ([]byte, error) {
	d := digest{Format: format, Node: node}
	for shard, rate := range loads {
		d.Load = append(d.Load, load{shard, rate})
	}
	return json.Marshal(d)
}

func decodeLoad(raw []byte) (node string, loads map[topology.Shard]float64, err error) {
	var d digest
	if err := json.Unmarshal(raw, &d); err != nil {
		return "", nil, fmt.Errorf("decoding a load digest: %w", err)
	}
	if d.Format != format {
		return "", nil, fmt.Errorf("load digest of format %d, known is %d", d.Format, format)
	}
	loads = make(map[topology.Shard]float64, len(d.Load))
	for _, l := range d.Load {
		loads[l.Shard] = l.BytesPerSecond
	}
	return d.Node, loads, nil
}
