package admin_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/admintest"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// What comes over a hub has no RPO of its own: what the hub lacks is not known there.
func TestRPOOverAHubIsThatOfTheHop(t *testing.T) {
	n := admintest.Spoke(time.Now())
	n.Flow.Pairs[0].Partitions[0].Lag, n.Flow.Pairs[0].Partitions[0].Stats.SourceStable = 0, 1970
	v := admin.NewWatch(n, n).Look()
	direct, over := linkOf(v, "eu->ap"), linkOf(v, "us->ap")
	if direct.RPOSeconds == nil || direct.HopSeconds == nil || len(direct.Via) != 0 {
		t.Errorf("direct: %+v", direct)
	}
	if over.RPOSeconds != nil || over.HopSeconds == nil || !slices.Equal(over.Via, []topology.Alias{"eu"}) {
		t.Errorf("over the hub: %+v", over)
	}
}

// The numbers of one log are not held against those of another: what was complete is not known to be when the source has changed.
func TestAnotherSourceIsAnotherLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := admintest.Spoke(time.Now())
		p := &n.Flow.Pairs[1].Partitions[0]
		w := admin.NewWatch(n, n)
		w.Look()
		time.Sleep(time.Minute)
		p.From, p.Read, p.Stats.SourceStable, p.Stats.SeenAt, p.Lag = "us", 10_000, 20_000, time.Now(), 10_000
		if got := linkOf(w.Look(), "us->ap").HopSeconds; got == nil || *got < 60 {
			t.Errorf("a moment after the change: %v", got)
		}
		n.Flow.Pairs[1].Topics[0].From = "us"
		p.Read = 20_000
		time.Sleep(time.Second)
		p.Stats.SeenAt, p.Lag = time.Now(), 0
		if got := linkOf(w.Look(), "us->ap"); got.RPOSeconds == nil || *got.RPOSeconds > 1 {
			t.Errorf("at its origin, all there: %+v", got)
		}
	})
}

// Sums of what comes over a hub go on, though no link is called so.
func TestTotalsOverAHubGoOn(t *testing.T) {
	n := admintest.Spoke(time.Now())
	w := admin.NewWatch(n, n)
	w.Look()
	n.Flow.Pairs[1].Partitions[0].Stats = flow.Stats{Records: 7, Ruled: flow.Ruled{Own: 5}}
	n.Flow.Pairs[1].Shards[0].Writer = "4003/2" // opened anew
	got := linkOf(w.Look(), "us->ap").Totals
	if got.Records != 507 || got.Ruled.Own != 75 || got.Ruled.Seen != 3 || got.Gaps.Copied != 12 {
		t.Errorf("%+v", got)
	}
}

func TestASilentHubIsToldOnce(t *testing.T) {
	n := admintest.Spoke(time.Now())
	n.Flow.Clusters[1].Error, n.Flow.Clusters[1].Code = "connection refused", kafka.ClusterUnreachable
	for i := range n.Flow.Pairs {
		p := &n.Flow.Pairs[i]
		p.Reason = &kafka.Reason{Code: kafka.ClusterUnreachable, Text: "connection refused"}
		p.Partitions[0].Reason = &kafka.Reason{Code: kafka.SourceUnreachable, Text: "connection refused"}
	}
	v := admin.NewWatch(n, n).Look()
	if len(v.Problems) != 1 || v.Problems[0].Where != "cluster eu" {
		t.Errorf("%+v", v.Problems)
	}
}

func TestADetourIsAWarning(t *testing.T) {
	n := admintest.Spoke(time.Now())
	n.Flow.Pairs[0].Topics[0].Why, n.Flow.Pairs[0].Topics[0].From = loop.LeftBehind, "us"
	v := admin.NewWatch(n, n).Look()
	if len(v.Problems) != 1 || v.Problems[0].Level != admin.LevelWarning || v.Problems[0].Code != "read_elsewhere" || v.Problems[0].Where != "eu->ap" {
		t.Errorf("%+v", v.Problems)
	}
}

// A link that is paused pauses what comes over it, unless there is another way.
func TestPausingALinkThatOthersComeOver(t *testing.T) {
	for name, tc := range map[string]struct {
		links string
		want  map[string]flow.State
	}{
		"the only way": {
			"{name: west, between: [us, eu], paused: true, naming: identity, topics: {include: [orders]}}, {name: east, between: [eu, ap], naming: identity, topics: {include: [orders]}}",
			map[string]flow.State{"us->eu": admin.Paused, "eu->us": admin.Paused, "us->ap": admin.Paused, "ap->us": admin.Paused, "eu->ap": admin.Elsewhere},
		},
		"one of two": {
			"{name: west, between: [us, eu], paused: true, naming: identity, topics: {include: [orders]}}, {name: rest, between: {hub: ap, spokes: [us, eu]}, naming: identity, topics: {include: [orders]}}",
			map[string]flow.State{"us->eu": admin.Elsewhere, "us->ap": admin.Elsewhere},
		},
		"no topic goes so far": {
			"{between: [us, eu], topics: {include: [orders]}}, {between: [eu, ap], topics: {include: [returns]}}",
			map[string]flow.State{"us->eu": admin.Elsewhere, "us->ap": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := admintest.Spoke(time.Now())
			head, _, _ := strings.Cut(string(n.Topologies.Current.Source()), "links:")
			top, err := topology.Parse("t.yaml", []byte(head+"links: ["+tc.links+"]\n"))
			if err != nil {
				t.Fatal(err)
			}
			n.Topologies.Current, n.Flow.Pairs = top, nil
			v := admin.NewWatch(n, n).Look()
			for link, want := range tc.want {
				if got := linkOf(v, link).State; got != want {
					t.Errorf("%s is %q, want %q", link, got, want)
				}
			}
		})
	}
}

// Nothing of what a node says of pairs that no topology knows is a reason to fail.
func TestUnknownPairsAreShown(t *testing.T) {
	n := admintest.Spoke(time.Now())
	n.Flow.Pairs = append(n.Flow.Pairs, flow.PairStatus{Source: "gone", Destination: "ap", Partitions: []flow.PartStatus{{Topic: "x", Lag: -1}}})
	v := admin.NewWatch(n, n).Look()
	if linkOf(v, "gone->ap").State == "" {
		t.Errorf("%+v", v.Links)
	}
	n.Topologies.Current = nil
	admin.NewWatch(n, nil).Look()
	admin.NewWatch(n, n).Look()
}
