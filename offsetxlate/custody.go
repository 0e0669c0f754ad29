package offsetxlate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"

	"github.com/meshd/meshd/topology"
)

// Partition names a partition at its origin, whatever it is called elsewhere. Its text is origin/topic/number.
type Partition struct {
	Origin topology.Alias
	Topic  string
	Number int32
}

func (p Partition) String() string { return fmt.Sprintf("%s/%s/%d", p.Origin, p.Topic, p.Number) }

// MarshalText makes it a key of a JSON object.
func (p Partition) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what String wrote.
func (p *Partition) UnmarshalText(b []byte) error {
	origin, rest, ok := strings.Cut(string(b), "/")
	if !ok || origin == "" {
		return fmt.Errorf("partition %q is not origin/topic/number: %w", b, ErrCorrupt)
	}
	var at TopicPartition
	if err := at.UnmarshalText([]byte(rest)); err != nil {
		return err
	}
	*p = Partition{Origin: topology.Alias(origin), Topic: at.Topic, Number: at.Partition}
	return nil
}

// TopicPartition names a partition as one cluster calls it. Its text is topic/partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

func (tp TopicPartition) String() string { return fmt.Sprintf("%s/%d", tp.Topic, tp.Partition) }

// MarshalText makes it a key of a JSON object.
func (tp TopicPartition) MarshalText() ([]byte, error) { return []byte(tp.String()), nil }

// UnmarshalText reads what String wrote.
func (tp *TopicPartition) UnmarshalText(b []byte) error {
	topic, number, ok := strings.Cut(string(b), "/") // no topic has a slash in its name
	n, err := strconv.ParseInt(number, 10, 32)
	if !ok || topic == "" || err != nil || n < 0 {
		return fmt.Errorf("partition %q is not topic/number: %w", b, ErrCorrupt)
	}
	*tp = TopicPartition{Topic: topic, Partition: int32(n)}
	return nil
}

// Commit is a committed offset in the coordinates of the cluster where it was read.
type Commit struct {
	Offset   Dest   `json:"offset"`
	Metadata string `json:"metadata,omitempty"`
}

// Seen is the highest commit of the group that was counted at a cluster.
type Seen map[TopicPartition]Dest

// Custody is the record of a group's chain of custody that is kept at one cluster, and written there in the transaction of
// meshd's own commits.
type Custody struct {
	// Clusters is the chain: where the group's commits count, and up to where they did. It only grows.
	Clusters map[topology.Alias]Seen `json:"clusters,omitempty"`
	// Places is what meshd committed last, at this cluster.
	Places map[TopicPartition]Commit `json:"places,omitempty"`
	// Vector is the frontier of what the group has consumed. It only rises.
	Vector map[Partition]Source `json:"vector,omitempty"`
	// Separate is set for good once the group was seen to run at two clusters by itself.
	Separate bool `json:"separate,omitempty"`
}

// Clone returns a copy that shares nothing, with no map nil.
func (c Custody) Clone() Custody {
	out := Custody{Clusters: map[topology.Alias]Seen{}, Places: map[TopicPartition]Commit{}, Vector: map[Partition]Source{}}
	out.merge(c)
	maps.Copy(out.Places, c.Places)
	return out
}

// merge takes in what another record of the same group says of the whole chain: all but its places.
func (c *Custody) merge(other Custody) {
	for alias, seen := range other.Clusters {
		c.join(alias)
		for tp, offset := range seen {
			c.see(alias, tp, offset)
		}
	}
	for p, at := range other.Vector {
		c.Vector[p] = max(at, c.Vector[p])
	}
	c.Separate = c.Separate || other.Separate
}

// join makes a cluster one of the chain.
func (c *Custody) join(alias topology.Alias) {
	if c.Clusters[alias] == nil {
		c.Clusters[alias] = Seen{}
	}
}

// see notes a commit that was counted at a cluster of the chain.
func (c *Custody) see(alias topology.Alias, tp TopicPartition, offset Dest) {
	c.Clusters[alias][tp] = max(offset, c.Clusters[alias][tp])
}

const custodyVersion = 1

// versioned is the form in the store.
type versioned struct {
	Version int `json:"version"`
	Custody
}

// Encode returns the record as JSON, with its version.
func (c Custody) Encode() ([]byte, error) {
	b, err := json.Marshal(versioned{Version: custodyVersion, Custody: c})
	if err != nil {
		return nil, fmt.Errorf("encoding custody: %w", err)
	}
	return b, nil
}

// DecodeCustody reads what Encode wrote. It returns ErrFuture for a later version, for what that would say of the group can't be
// known, and ErrCorrupt for anything else.
func DecodeCustody(b []byte) (Custody, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return Custody{}, fmt.Errorf("reading custody: %w", errors.Join(ErrCorrupt, err))
	}
	if head.Version > custodyVersion {
		return Custody{}, fmt.Errorf("custody of version %d: %w", head.Version, ErrFuture)
	}
	var v versioned
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return Custody{}, fmt.Errorf("reading custody: %w", errors.Join(ErrCorrupt, err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || head.Version != custodyVersion || !v.valid() {
		return Custody{}, fmt.Errorf("reading custody: %w", ErrCorrupt)
	}
	return v.Clone(), nil
}

// valid says that no offset is negative.
func (c Custody) valid() bool {
	for _, seen := range c.Clusters {
		for _, at := range seen {
			if at < 0 {
				return false
			}
		}
	}
	for _, place := range c.Places {
		if place.Offset < 0 {
			return false
		}
	}
	for _, at := range c.Vector {
		if at < 0 {
			return false
		}
	}
	return true
}
