package admin

import (
	"testing"
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
)

// A problem is as old as its first sight, also where it is away for a moment, and a new one after it was over.
func TestProblemsHaveAnAge(t *testing.T) {
	k := newTracker()
	seen := func(after time.Duration, there bool) time.Duration {
		ps := []Problem{{Where: "us->eu: orders", Code: "record_too_large", Of: "partition"}}
		if !there {
			ps = nil
		}
		k.date(began.Add(after), ps)
		if !there {
			return -1
		}
		return ps[0].Since.Sub(began)
	}
	for _, step := range []struct {
		after time.Duration
		there bool
		since time.Duration
	}{
		{0, true, 0},
		{time.Second, true, 0},
		{2 * time.Second, false, -1},
		{4 * time.Second, true, 0},
		{11 * time.Second, false, -1},
		{12 * time.Second, true, 12 * time.Second},
	} {
		if got := seen(step.after, step.there); got != step.since {
			t.Errorf("after %s: since %s, want %s", step.after, got, step.since)
		}
	}
}

// Of two nodes, the one that saw a problem first says since when it is there.
func TestTheOldestSightCounts(t *testing.T) {
	at := func(s time.Duration) Status {
		return Status{Problems: []Problem{{Where: "cluster us", Code: "login_refused", Of: "cluster", Count: 1, Since: new(began.Add(s))}}}
	}
	undated := Status{Problems: []Problem{{Where: "cluster us", Code: "login_refused", Of: "cluster", Count: 1}}}
	got := MergeStatus(undated, at(5*time.Second), at(2*time.Second), at(9*time.Second)).Problems
	if len(got) != 1 || got[0].Since == nil || !got[0].Since.Equal(began.Add(2*time.Second)) {
		t.Errorf("%+v", got)
	}
}

// A cluster that refuses the login is told once, by its own name and code; what stands still for other reasons beside it.
func TestRefusedLoginIsToldOnce(t *testing.T) {
	login, drift := kafka.Because(kafka.LoginRefused, "no", "check the password"), kafka.Because(kafka.ConfigsNotAligned, "denied", "allow it")
	denied := kafka.Because(kafka.PermissionDenied, "reading orders", "allow it")
	got := problems(flow.Status{
		Clusters: []flow.ClusterStatus{{Alias: "us", Code: login.Code, Error: login.Text, Hint: login.Hint}},
		Pairs: []flow.PairStatus{{
			Source: "us", Destination: "eu", Reason: &login, Topics: []flow.TopicStatus{{Topic: "orders", Reason: &denied, Drift: &drift}},
			Partitions: []flow.PartStatus{{Topic: "orders", Reason: &login}},
		}},
	}, nil)
	var codes []string
	for _, p := range got {
		codes = append(codes, p.Where+" "+p.Code)
	}
	want := []string{"cluster us login_refused", "us->eu: orders permission_denied", "us->eu: orders configs_not_aligned"}
	if len(codes) != len(want) {
		t.Fatalf("%q", codes)
	}
	for i := range want {
		if codes[i] != want[i] {
			t.Errorf("%q, want %q", codes[i], want[i])
		}
	}
}

// A link that can't be prepared for the reason for which its cluster can't be used is not told beside the cluster.
func TestMissingRightOfAClusterIsToldOnce(t *testing.T) {
	denied := kafka.Because(kafka.PermissionDenied, "preparing topic meshd.topics", "allow it")
	got := problems(flow.Status{
		Clusters: []flow.ClusterStatus{{Alias: "eu", Code: denied.Code, Error: denied.Text, Hint: denied.Hint}},
		Pairs:    []flow.PairStatus{{Source: "us", Destination: "eu", Reason: &denied}},
	}, nil)
	if len(got) != 1 || got[0].Where != "cluster eu" || got[0].Hint != denied.Hint {
		t.Errorf("%+v", got)
	}
}
