package groupsync

import (
	"fmt"
	"slices"
	"time"

	"github.com/meshd/meshd/checkpoint/groups"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// Status is what the last rounds found.
type Status struct {
	Home   topology.Alias `json:"home"`
	At     time.Time      `json:"at"` // of the last round that succeeded; zero: none
	Error  string         `json:"error,omitempty"`
	Groups []GroupStatus  `json:"groups"`
}

// GroupStatus is one group at the home.
type GroupStatus struct {
	Group      string           `json:"group"`
	Home       topology.Alias   `json:"home"`
	Active     []topology.Alias `json:"active,omitempty"` // clusters where it has members
	Chain      []topology.Alias `json:"chain,omitempty"`
	Why        string           `json:"why,omitempty"` // it was to be placed, and could not be
	Hint       string           `json:"hint,omitempty"`
	Reread     int64            `json:"reread"` // consumed records that it would see again here
	Partitions []PartStatus     `json:"partitions"`
}

// PartStatus is one partition of a group at the home.
type PartStatus struct {
	Topic     string         `json:"topic"`
	Partition int32          `json:"partition"`
	Offset    int64          `json:"offset"`             // where the group would go on here
	Consumed  *int64         `json:"consumed"`           // what it has consumed, as an offset at the origin; null: unknown
	Commits   []CommitAt     `json:"commits"`            // what it has committed, where
	Exact     bool           `json:"exact"`              // it would see no consumed record again
	Reread    int64          `json:"reread"`             // how many it would see again, at most
	Why       string         `json:"why,omitempty"`      // why it is not placed
	Cluster   topology.Alias `json:"cluster,omitempty"`  // that Why speaks of
	How       string         `json:"how,omitempty"`      // in what way the offset was found
	Metadata  string         `json:"metadata,omitempty"` // of the commit, as the application wrote it
}

// CommitAt is a group's commit at one cluster, read in the last round.
type CommitAt struct {
	Cluster topology.Alias `json:"cluster"`
	Topic   string         `json:"topic"`
	Offset  int64          `json:"offset"`
}

// statusOf makes the status of what was decided.
func statusOf(r *round, group string, d offsetxlate.Decision) GroupStatus {
	st := GroupStatus{Group: group, Home: r.home.Alias, Active: r.active(group)}
	for a := range d.Custody.Clusters {
		st.Chain = append(st.Chain, a)
	}
	slices.Sort(st.Chain)
	for _, v := range r.views {
		if err := v.unread(group); err != nil {
			st.Hint = fmt.Sprintf("cluster %s: %v", v.Alias, err)
		}
	}
	if topics := r.shared(group); len(topics) > 0 {
		st.Why, st.Hint = notSynced(topics), sharedHint
	}
	for _, p := range d.Placements {
		if p.At.Topic == "" {
			continue // its topic is not here
		}
		st.Reread += p.Reread
		st.Partitions = append(st.Partitions, PartStatus{
			Topic: p.At.Topic, Partition: p.At.Partition, Offset: int64(p.Offset), Exact: p.Exact, Reread: p.Reread,
			Consumed: consumed(d, p.Partition), Commits: r.commitsOf(group, p.Partition), Why: string(p.Reason), Cluster: p.Cluster, How: string(p.How), Metadata: p.Metadata,
		})
	}
	return st
}

func (r *round) commitsOf(group string, p offsetxlate.Partition) (out []CommitAt) {
	for _, v := range r.views {
		name, ok := v.names.nameOf(coordinate{p.Origin, p.Topic, p.Number})
		if !ok || v.err != nil {
			continue
		}
		c, ok := v.commits[group].Commits[groups.Partition{Topic: name, Number: p.Number}]
		if ok && c.Offset >= 0 {
			out = append(out, CommitAt{v.Alias, name, c.Offset})
		}
	}
	return out
}

func consumed(d offsetxlate.Decision, p offsetxlate.Partition) *int64 {
	at, ok := d.Custody.Vector[p]
	if !ok {
		return nil
	}
	return new(int64(at))
}
