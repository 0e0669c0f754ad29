package admin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshd/meshd/checkpoint/groupsync"
	"github.com/meshd/meshd/topology"
)

// groupsOf is what the syncers found, by the names of the groups.
func groupsOf(all []groupsync.Status) []GroupStatus {
	out := []GroupStatus{}
	for _, home := range all {
		for _, g := range home.Groups {
			out = append(out, groupOf(home, g))
		}
	}
	slices.SortFunc(out, compareGroups)
	return out
}

func compareGroups(a, b GroupStatus) int {
	return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(string(a.Home), string(b.Home)))
}

func groupOf(home groupsync.Status, g groupsync.GroupStatus) GroupStatus {
	st := GroupStatus{
		Group: g.Group, Home: home.Home, State: GroupSynced, Why: g.Why, Hint: g.Hint, Active: list(g.Active), Chain: list(g.Chain),
		Rereads: g.Reread, SyncedAt: home.At, Partitions: []GroupPartition{},
	}
	switch {
	case home.Error != "":
		st.State, st.Why = GroupFailing, home.Error
	case slices.Contains(g.Active, home.Home):
		st.State = GroupActive
	case g.Why != "":
		st.State = GroupLeftAlone
	}
	for _, p := range g.Partitions {
		st.Partitions = append(st.Partitions, GroupPartition{
			Topic: p.Topic, Partition: p.Partition, Commit: offset(p.Offset), Target: offset(p.Target), Exact: p.Exact, Rereads: p.Reread, Why: p.Why,
		})
	}
	return st
}

// list is never null in JSON.
func list(as []topology.Alias) []topology.Alias { return append([]topology.Alias{}, as...) }

// offset is one that is -1 where there is none.
func offset(o int64) *int64 {
	if o < 0 {
		return nil
	}
	return &o
}

// Codes of problems that are not reasons of the data path.
const (
	noTopics        = "no_topics"
	groupsFailing   = "groups_failing"
	groupsLeftAlone = "groups_left_alone"
	nodeDead        = "node_dead"
	topologyRefused = "topology_refused"
	topologiesApart = "topologies_differ"
)

// groupProblems tells once what keeps the groups of a cluster from being moved.
func groupProblems(all []groupsync.Status) (out []Problem) {
	for _, home := range all {
		where := "groups at " + string(home.Home)
		if home.Error != "" {
			out = append(out, Problem{Level: Error, Where: where, Code: groupsFailing, Text: home.Error, Count: max(1, len(home.Groups))})
			continue
		}
		alone := map[string]*Problem{}
		for _, g := range home.Groups {
			if g.Why == "" || slices.Contains(g.Active, home.Home) {
				continue
			}
			if p := alone[g.Why]; p != nil {
				p.Count++
				continue
			}
			alone[g.Why] = &Problem{
				Level: Warning, Where: where, Code: groupsLeftAlone, Text: fmt.Sprintf("group %s: %s", g.Group, g.Why), Hint: g.Hint, Count: 1,
			}
		}
		for _, p := range alone {
			out = append(out, *p)
		}
	}
	return out
}
