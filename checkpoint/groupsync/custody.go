package groupsync

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// Custody is what one cluster remembers of a group: where meshd put it, and which clusters it wandered between. It is written in
// the transaction that places the group there.
type Custody struct {
	Version int `json:"v"` // 1
	// Chain are the clusters whose commits are the group's own progress. It only grows.
	Chain []topology.Alias `json:"chain"`
	// Places is what meshd committed last at this cluster, by topic/partition as named here.
	Places map[string]Placed `json:"places,omitempty"`
	// Vector is what the group has consumed, by origin:topic/partition: the next offset at the origin. It only rises.
	Vector map[string]int64 `json:"vector,omitempty"`
	// Separate says why the group is not one group: it is left alone until a person decides.
	Separate string `json:"separate,omitempty"`
}

// Placed is a commit that meshd made.
type Placed struct {
	Offset   int64  `json:"o"`
	Metadata string `json:"m,omitempty"`
}

func (c Custody) has(a topology.Alias) bool { return slices.Contains(c.Chain, a) }

// clone is a copy that can be changed.
func (c Custody) clone() Custody {
	out := Custody{Version: 1, Chain: slices.Clone(c.Chain), Places: map[string]Placed{}, Vector: map[string]int64{}, Separate: c.Separate}
	for k, v := range c.Places {
		out.Places[k] = v
	}
	for k, v := range c.Vector {
		out.Vector[k] = v
	}
	return out
}

// join adds clusters to the chain.
func (c *Custody) join(as ...topology.Alias) {
	for _, a := range as {
		if !c.has(a) {
			c.Chain = append(c.Chain, a)
		}
	}
	slices.Sort(c.Chain)
}

// custodies follows the records of one cluster.
type custodies struct {
	table checkpoint.Table
	of    map[string]Custody
}

func newCustodies(c *kafka.Cluster) *custodies {
	s := &custodies{of: map[string]Custody{}}
	s.table = checkpoint.Table{Cluster: c, Topic: checkpoint.GroupsTopic, Committed: true, Apply: s.apply}
	return s
}

func (s *custodies) apply(r *kgo.Record) error {
	group := string(r.Key)
	if r.Value == nil {
		delete(s.of, group)
		return nil
	}
	var c Custody
	if err := json.Unmarshal(r.Value, &c); err != nil {
		return fmt.Errorf("decoding the custody of group %s: %w", group, err)
	}
	if c.Version != 1 {
		return fmt.Errorf("the custody of group %s has version %d: a newer meshd wrote it", group, c.Version)
	}
	s.of[group] = c
	return nil
}
