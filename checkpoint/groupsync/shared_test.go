package groupsync

import (
	"strings"
	"testing"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/groups"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// at is a cluster with a registry and the commits of one group.
func at(a topology.Alias, entries map[string]checkpoint.TopicEntry, commits ...string) *view {
	v := &view{Member: Member{Alias: a}, custody: &custodies{}, names: newNames(a, entries), commits: map[string]groups.GroupCommits{}}
	of := map[groups.Partition]groups.Commit{}
	for _, topic := range commits {
		of[groups.Partition{Topic: topic}] = groups.Commit{Offset: 7}
	}
	v.commits["billing"] = groups.GroupCommits{Commits: of}
	return v
}

func shared(topic string, origin topology.Alias) map[string]checkpoint.TopicEntry {
	return map[string]checkpoint.TopicEntry{checkpoint.FromKey(topic, origin): {Kind: checkpoint.Shared, Origin: origin, Topic: topic}}
}

// That a group is not placed in topics that have one name everywhere is said, and not left to be found out.
func TestGroupsOfSharedTopicsAreSaidNotToMove(t *testing.T) {
	for name, tc := range map[string]struct {
		home, peer *view
		why        string
	}{
		"known at both":               {at("b", shared("orders", "a")), at("a", shared("orders", "b"), "orders"), "identity topics are not synced yet: orders"},
		"a link one way":              {at("b", shared("orders", "a")), at("a", nil, "orders"), "identity topics are not synced yet: orders"},
		"among others":                {at("b", shared("orders", "a")), at("a", nil, "orders", "returns"), "identity topics are not synced yet: orders"},
		"consumed at the home":        {at("b", shared("orders", "a"), "orders"), at("a", shared("orders", "b")), ""},
		"of topics with other naming": {at("b", nil), at("a", nil, "orders"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &round{home: tc.home, views: []*view{tc.home, tc.peer}}
			st := statusOf(r, "billing", offsetxlate.Decision{})
			if st.Why != tc.why || (st.Hint == "") != (tc.why == "") {
				t.Errorf("why %q, hint %q", st.Why, st.Hint)
			}
		})
	}
}

func TestPlacesInSharedTopicsAreNotTranslated(t *testing.T) {
	for _, tr := range []*Translator{
		{at("a", nil), at("b", shared("orders", "a"))},
		{at("b", shared("orders", "a")), at("a", nil)},
	} {
		got := tr.Point(Point{Topic: "orders", Offset: 7})
		if got.Reason == nil || got.Reason.Code != "identity_topic" || !strings.Contains(got.Reason.Text, "orders has one name") {
			t.Errorf("%+v", got)
		}
	}
}
