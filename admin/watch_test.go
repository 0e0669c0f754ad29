package admin_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/admintest"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
)

// counting counts how often it is looked at.
type counting struct {
	admintest.Node
	looks int
}

func (c *counting) Status() flow.Status {
	c.looks++
	return c.Node.Status()
}

func TestWatchLooksOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{}
		ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		defer cancel()
		admin.NewWatch(c, nil).Run(ctx)
		if c.looks != 5 {
			t.Errorf("%d looks in 4.5 s, want 5", c.looks)
		}
	})
}

func TestReady(t *testing.T) {
	now := time.Now()
	opening := admintest.Well(now)
	opening.Flow.Pairs[0].Ready = false
	stuck := admintest.Well(now)
	stuck.Flow.Pairs[0].Ready, stuck.Flow.Pairs[0].Reason = false, &kafka.Reason{Code: "cluster_unreachable", Text: "no answer", Hint: "start it"}
	idle := admintest.Well(now)
	idle.Flow.Pairs = nil
	tests := map[string]struct {
		node    *admintest.Node
		reasons []string
	}{
		"well":             {admintest.Well(now), nil},
		"parts failed":     {admintest.Troubled(now), nil},
		"holds nothing":    {idle, nil},
		"opening":          {opening, []string{"us->eu: its topics are being looked at"}},
		"can't be reached": {stuck, []string{"us->eu: cluster_unreachable: no answer (start it)"}},
		"no topology":      {admintest.Starting(), []string{"no topology was accepted yet", "us->eu: its topics are being looked at"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			ready, reasons := admin.NewWatch(tc.node, tc.node).Look().Ready()
			if ready != (tc.reasons == nil) || !slices.Equal(reasons, tc.reasons) {
				t.Errorf("ready: %t, %q; want %q", ready, reasons, tc.reasons)
			}
		})
	}
}

// TestZeroLagIsBelievedOnlyWhileHeard changes one thing at a time.
func TestZeroLagIsBelievedOnlyWhileHeard(t *testing.T) {
	now := time.Now()
	lag := func(change func(*flow.PartStatus)) *int64 {
		n := admintest.Well(now)
		change(&n.Flow.Pairs[0].Partitions[0])
		return linkOf(admin.NewWatch(n, n).Look(), "us->eu").LagRecords
	}
	tests := map[string]struct {
		change func(*flow.PartStatus)
		want   *int64
	}{
		"heard":              {func(*flow.PartStatus) {}, new(int64(0))},
		"never heard":        {func(p *flow.PartStatus) { p.Lag, p.Stats.SeenAt = -1, time.Time{} }, nil},
		"heard long ago":     {func(p *flow.PartStatus) { p.Stats.SeenAt = now.Add(-time.Minute) }, nil},
		"stands still":       {func(p *flow.PartStatus) { p.State = flow.Backoff }, nil},
		"lags, stands still": {func(p *flow.PartStatus) { p.State, p.Lag = flow.Failed, 7 }, new(int64(7))},
	}
	for name, tc := range tests {
		got := lag(tc.change)
		if (got == nil) != (tc.want == nil) || got != nil && *got != *tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

func TestALinkThatMatchesNothingIsTold(t *testing.T) {
	n := admintest.Well(time.Now())
	n.Flow.Pairs[0].Topics, n.Flow.Pairs[0].Partitions, n.Flow.Pairs[0].Shards = nil, nil, nil
	v := admin.NewWatch(n, n).Look()
	if len(v.Problems) != 1 || v.Problems[0].Code != "no_topics" || !linkOf(v, "us->eu").Up {
		t.Errorf("problems %+v, link %+v", v.Problems, linkOf(v, "us->eu"))
	}
}

func linkOf(v admin.View, link string) admin.LinkStatus {
	i := slices.IndexFunc(v.Links, func(l admin.LinkStatus) bool { return l.Link == link })
	if i < 0 {
		return admin.LinkStatus{}
	}
	return v.Links[i]
}
