package admin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshd/meshd/offsetxlate"
)

// groupsOf is what is done for all groups, by their names.
func groupsOf(all []GroupsAt) []GroupStatus {
	out := []GroupStatus{}
	for _, home := range all {
		out = append(out, home.Statuses()...)
	}
	slices.SortFunc(out, compareGroups)
	return out
}

// Statuses are the groups with what follows from their home's account: Home, SyncedAt and State.
func (a GroupsAt) Statuses() []GroupStatus {
	out := slices.Clone(a.Groups)
	for i := range out {
		g := &out[i]
		g.Home, g.SyncedAt, g.State = a.Home, a.SyncedAt, stateOf(a, *g)
		g.Active, g.Chain, g.Partitions = some(g.Active), some(g.Chain), some(g.Partitions)
	}
	return out
}

func compareGroups(a, b GroupStatus) int {
	return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(string(a.Home), string(b.Home)))
}

func stateOf(home GroupsAt, g GroupStatus) GroupState {
	switch {
	case home.Error != "":
		return GroupFailing
	case slices.Contains(g.Active, home.Home):
		return GroupActive
	case g.Why != "":
		return GroupLeftAlone
	}
	state := GroupSynced
	for _, p := range g.Partitions {
		switch p.Why {
		case "", offsetxlate.ReasonSame, offsetxlate.ReasonRewind, offsetxlate.ReasonNoCommit:
		case offsetxlate.ReasonNotCovered, offsetxlate.ReasonNoMap, offsetxlate.ReasonUnread, offsetxlate.ReasonMembers:
			if state == GroupSynced {
				state = GroupWaiting
			}
		default:
			state = GroupLeftAlone
		}
	}
	return state
}

// whyAlone is the first reason for which a group is left alone, in words.
func whyAlone(g GroupStatus) string {
	if g.Why != "" {
		return g.Why
	}
	for _, p := range g.Partitions {
		if stateOf(GroupsAt{}, GroupStatus{Partitions: []GroupPartition{p}}) == GroupLeftAlone {
			return string(p.Why)
		}
	}
	return ""
}

// some is never null in JSON.
func some[T any](list []T) []T { return append([]T{}, list...) }

// Codes of problems that are not reasons of the data path.
const (
	noTopics        = "no_topics"
	readElsewhere   = "read_elsewhere"
	noTopology      = "no_topology"
	groupsFailing   = "groups_failing"
	groupsLeftAlone = "groups_left_alone"
	nodeDead        = "node_dead"
	topologyRefused = "topology_refused"
	topologiesApart = "topologies_differ"
)

// groupProblems tells once what keeps the groups of a cluster from being moved.
func groupProblems(all []GroupsAt) (out []Problem) {
	for _, home := range all {
		where := "groups at " + string(home.Home)
		if home.Error != "" {
			out = append(out, Problem{Level: LevelError, Where: where, Code: groupsFailing, Text: home.Error, Count: len(home.Groups), Of: "group"})
			continue
		}
		alone := map[string]*Problem{}
		for _, g := range home.Groups {
			if stateOf(home, g) != GroupLeftAlone {
				continue
			}
			why := whyAlone(g)
			if p := alone[why]; p != nil {
				p.Count++
				continue
			}
			alone[why] = &Problem{Level: LevelWarning, Where: where, Code: groupsLeftAlone, Text: fmt.Sprintf("group %s: %s", g.Group, why), Hint: g.Hint, Count: 1, Of: "group"}
		}
		for _, p := range alone {
			out = append(out, *p)
		}
	}
	return out
}
