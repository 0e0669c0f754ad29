package groupsync

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshd/meshd/checkpoint/groups"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// round is what was read of all clusters at one time.
type round struct {
	home  *view
	views []*view // all of them, the home first
}

// topicsOf are the topics, by origin, on which a group has a commit anywhere.
func (r *round) topicsOf(group string) []coordinate {
	out := map[coordinate]bool{}
	for _, v := range r.views {
		if v.err != nil {
			continue
		}
		for p, c := range v.commits[group].Commits {
			if c.Offset >= 0 {
				at := v.names.coordinateOf(p.Topic, p.Number)
				out[coordinate{Origin: at.Origin, Topic: at.Topic}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(out), func(a, b coordinate) int {
		return cmp.Or(strings.Compare(string(a.Origin), string(b.Origin)), strings.Compare(a.Topic, b.Topic))
	})
}

// wants are the partitions of a cluster whose logs matter to any of the groups.
func (r *round) wants(v *view, names []string) (ps []kafka.Partition) {
	topics := map[string]bool{}
	for _, g := range names {
		for _, t := range r.topicsOf(g) {
			if name, ok := v.names.nameOf(t); ok {
				topics[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		ps = append(ps, v.topics[name]...)
	}
	return ps
}

// look puts together what was seen of one group.
func (r *round) look(group string, uncommitted offsetxlate.Uncommitted) offsetxlate.GroupView {
	out := offsetxlate.GroupView{Group: group, Here: r.home.Alias, Uncommitted: uncommitted}
	for _, v := range r.views {
		out.Sites = append(out.Sites, v.site(group))
	}
	for _, t := range r.topicsOf(group) {
		for n := range r.partitions(t) {
			c := coordinate{t.Origin, t.Topic, int32(n)}
			out.Partitions = append(out.Partitions, r.partition(group, c))
		}
	}
	return out
}

// partitions of a topic, at the cluster that has most of them.
func (r *round) partitions(t coordinate) (most int) {
	for _, v := range r.views {
		if name, ok := v.names.nameOf(t); ok && v.err == nil {
			most = max(most, len(v.topics[name]))
		}
	}
	return most
}

// site is the group at one cluster. A group of which not every commit could be read is unread there.
func (v *view) site(group string) offsetxlate.Site {
	s := offsetxlate.Site{Cluster: v.Alias, Unread: v.unread(group) != nil}
	if !s.Unread {
		g := v.listing.Groups[group]
		s.State, s.Type, s.Protocol = offsetxlate.GroupState(g.State), g.Type, g.ProtocolType
		s.Custody = v.custody.of[group]
	}
	return s
}

var errUnlisted = errors.New("a broker did not list its groups")

// unread is why the group is not known at this cluster; nil if it is.
func (v *view) unread(group string) error {
	c := v.commits[group]
	_, listed := v.listing.Groups[group]
	switch {
	case v.err != nil:
		return v.err
	case c.Err != nil:
		return c.Err
	case v.custody.bad[group] != nil:
		return v.custody.bad[group]
	case !listed && !v.listing.Complete():
		return errUnlisted
	}
	for p, err := range c.Failed {
		return fmt.Errorf("reading the commit for %s: %w", p, err)
	}
	return nil
}

func (r *round) partition(group string, c coordinate) offsetxlate.PartitionView {
	out := offsetxlate.PartitionView{Partition: offsetxlate.Partition{Origin: c.Origin, Topic: c.Topic, Number: c.Partition}}
	for _, v := range r.views {
		if l, ok := v.log(group, c); ok {
			out.Logs = append(out.Logs, l)
		}
	}
	return out
}

// log is a partition at one cluster; false where it is not there.
func (v *view) log(group string, c coordinate) (offsetxlate.LogView, bool) {
	name, ok := v.names.nameOf(c)
	if v.err != nil || !ok {
		return offsetxlate.LogView{}, false
	}
	p := groups.Partition{Topic: name, Number: c.Partition}
	at, ok := v.logs[p]
	if !ok {
		return offsetxlate.LogView{}, false
	}
	l := offsetxlate.LogView{Cluster: v.Alias, Topic: name, Start: offsetxlate.Dest(at.Start), End: offsetxlate.Dest(at.End), Map: v.translator(c)}
	if commit, ok := v.commits[group].Commits[p]; ok && commit.Offset >= 0 {
		l.Commit = &offsetxlate.Commit{Offset: offsetxlate.Dest(commit.Offset), Metadata: commit.Metadata}
	}
	return l, true
}

// translator is nil where there is no map.
func (v *view) translator(c coordinate) offsetxlate.Translator {
	if c.Origin == v.Alias {
		return offsetxlate.AtOrigin{}
	}
	if m, err := v.mapOf(c); err == nil && m != nil {
		return m
	}
	return nil
}

// active are the clusters where the group has members.
func (r *round) active(group string) (out []topology.Alias) {
	for _, v := range r.views {
		if v.err == nil && v.listing.Groups[group].Active() {
			out = append(out, v.Alias)
		}
	}
	return out
}
