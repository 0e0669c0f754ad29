package topology

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Stamp orders versions of a topology.
type Stamp struct {
	Version int64  `json:"version"`
	Hash    string `json:"hash"`
}

func (s Stamp) String() string { return fmt.Sprintf("%d (%.8s)", s.Version, s.Hash) }

// Compare orders by version, then by hash: the same order everywhere, whoever compares.
func (s Stamp) Compare(o Stamp) int {
	return cmp.Or(cmp.Compare(s.Version, o.Version), cmp.Compare(s.Hash, o.Hash))
}

// Newer says whether a is to be taken by a node that has b. No topology at all, nil, is the oldest.
func Newer(a, b *Topology) bool { return a.Stamp().Compare(b.Stamp()) > 0 }

// Follows says why a topology that a person offers can't take the place of the one that runs, and what to do; "" if it can, or is the
// same.
func (t *Topology) Follows(now *Topology) (why, hint string) {
	offered, runs := t.Stamp(), now.Stamp()
	switch {
	case offered == runs:
		return "", ""
	case t.Mesh != now.Mesh:
		return fmt.Sprintf("it is of the mesh %s, this is %s", t.Mesh, now.Mesh), ""
	case offered.Version == runs.Version:
		return fmt.Sprintf("version %d runs with hash %s; this one has the same version and hash %s", runs.Version, runs.Hash, offered.Hash),
			fmt.Sprintf("give the edit a version above %d", runs.Version)
	case offered.Version < runs.Version:
		return fmt.Sprintf("version %d runs, this one is version %d", runs.Version, offered.Version),
			fmt.Sprintf("fetch what runs, and edit that; or give this one a version above %d", runs.Version)
	}
	return "", ""
}

// Stamp is the version and the hash; it is zero for nil.
func (t *Topology) Stamp() Stamp {
	if t == nil {
		return Stamp{}
	}
	return Stamp{t.Version, t.hash}
}

// Hash is the SHA-256 of what the file says, in hexadecimal. Comments, layout and the order of keys don't count, nor does Parent, which
// is not in the file. A topology that was not parsed has none.
func (t *Topology) Hash() string { return t.hash }

// Source is the file as it was parsed.
func (t *Topology) Source() []byte { return bytes.Clone(t.source) }

// WithParent returns the topology as made from another version, which is named by its hash.
func (t *Topology) WithParent(hash string) *Topology {
	c := *t
	c.Parent = hash
	return &c
}

const encoding = "meshd-topology 1 " // format and its version; parent and source follow

// Encode returns the topology for raft and gossip: a line with the parent, and the file as it was parsed.
func (t *Topology) Encode() []byte {
	return append([]byte(encoding+cmp.Or(t.Parent, "-")+"\n"), t.source...)
}

// Decode reads what Encode wrote, with ParseInProcess: whoever encoded it answers for embedded clusters. The error is a Problems if
// this release refuses what another accepted; from is the name that they bear.
func Decode(from string, data []byte) (*Topology, error) {
	head, source, ok := bytes.Cut(data, []byte("\n"))
	parent, known := strings.CutPrefix(string(head), encoding)
	if !ok || !known {
		return nil, errors.New("decoding topology: not encoded by this or an older release")
	}
	t, err := ParseInProcess(from, source)
	if err != nil {
		return nil, err
	}
	if parent != "-" {
		t.Parent = parent
	}
	return t, nil
}

// hashOf hashes the tree with the keys of each mapping sorted. Every text is preceded by its length, so that no two trees look alike.
func hashOf(root *yaml.Node) string {
	h := sha256.New()
	hashNode(h, root)
	return hex.EncodeToString(h.Sum(nil))
}

func hashNode(h hash.Hash, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		h.Write(fmt.Appendf(nil, "map %d\n", len(n.Content)/2))
		for _, i := range sortedKeys(n) {
			hashNode(h, n.Content[i])
			hashNode(h, n.Content[i+1])
		}
	case yaml.SequenceNode:
		h.Write(fmt.Appendf(nil, "list %d\n", len(n.Content)))
		for _, c := range n.Content {
			hashNode(h, c)
		}
	default:
		h.Write(fmt.Appendf(nil, "%s %d %s\n", n.ShortTag(), len(n.Value), n.Value))
	}
}

// sortedKeys returns where the keys of a mapping stand in its content, in the order of their names.
func sortedKeys(n *yaml.Node) []int {
	at := make([]int, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		at = append(at, i)
	}
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(n.Content[a].Value, n.Content[b].Value) })
	return at
}
