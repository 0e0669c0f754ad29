package admin

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

var began = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// world is one partition and its copy, as the data path would show them.
type world struct {
	now      time.Time
	appended []time.Time // when each record came to be at the source; its index is its offset
	next     int         // acknowledged at the destination
	known    int         // end of the source, as it was heard
	heardAt  time.Time
	held     bool
	open     bool
	writer   int
	stats    flow.Stats // of this life of the partition
	copied   int64      // in all lives here
}

func (w *world) status() flow.Status {
	if !w.held {
		return flow.Status{}
	}
	p := flow.PartStatus{Topic: "orders", State: flow.Opening, Lag: -1}
	if w.open {
		p.State, p.Next, p.Read, p.Stats = flow.Streaming, int64(w.next), int64(w.next), w.stats
		p.Stats.SeenAt, p.Stats.SourceStable = w.heardAt, int64(w.known)
		if !w.heardAt.IsZero() {
			p.Lag = int64(max(0, w.known-w.next))
		}
	}
	return flow.Status{Pairs: []flow.PairStatus{{
		Source: "us", Destination: "eu", Ready: true, Topics: []flow.TopicStatus{{Topic: "orders", Partitions: 1}},
		Shards: []flow.ShardStatus{{State: flow.Streaming, Writer: string(rune('a' + w.writer))}}, Partitions: []flow.PartStatus{p},
	}}}
}

// close ends a life of the partition; what it counted in that life begins anew.
func (w *world) close() { w.open, w.heardAt, w.stats = false, time.Time{}, flow.Stats{} }

func (w *world) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"append": func(t *rapid.T) {
			for range rapid.IntRange(1, 3).Draw(t, "records") {
				w.appended = append(w.appended, w.now)
			}
		},
		"hear": func(t *rapid.T) {
			if !w.open {
				t.Skip("not open")
			}
			w.known, w.heardAt = len(w.appended), w.now
		},
		"copy": func(t *rapid.T) {
			if !w.open || w.next >= w.known {
				t.Skip("nothing to copy")
			}
			n := rapid.IntRange(1, w.known-w.next).Draw(t, "records")
			w.next += n
			w.stats.Records += int64(n)
			w.stats.Bytes += 10 * int64(n)
			w.copied += int64(n)
		},
		"open": func(t *rapid.T) {
			if !w.held || w.open {
				t.Skip("not to be opened")
			}
			w.open = true
			w.writer += rapid.IntRange(0, 1).Draw(t, "new writer")
		},
		"close": func(*rapid.T) { w.close() },
		"leave": func(*rapid.T) { w.close(); w.held = false },
		"take":  func(*rapid.T) { w.held = true },
		"wait": func(t *rapid.T) {
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms")) * time.Millisecond)
		},
	}
}

var (
	ordersFlow = flowKey{topology.Pair{Source: "us", Destination: "eu"}, "orders"}
	orders0    = partKey{ordersFlow, 0}
)

// TestTotalsAreWhatWasCopied looks before every end of a life, as a look a second does but for the last second.
func TestTotalsAreWhatWasCopied(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, k := &world{now: began}, newTracker()
		t.Repeat(withCheck(w.actions(), func(t *rapid.T) {
			before := k.totals[ordersFlow]
			k.look(w.now, w.status(), nil)
			after := k.totals[ordersFlow]
			if after.Records < before.Records || after.Bytes < before.Bytes {
				t.Fatalf("totals went back from %+v to %+v", before, after)
			}
			if after.Records != w.copied || after.Bytes != 10*w.copied {
				t.Fatalf("totals are %+v, %d records were copied", after, w.copied)
			}
		}))
	})
}

// TestCompleteIsComplete holds the time up to which a partition is said to be complete against the log itself.
func TestCompleteIsComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, k := &world{now: began, held: true, open: true}, newTracker()
		t.Repeat(withCheck(w.actions(), func(t *rapid.T) {
			if rapid.Bool().Draw(t, "look") {
				k.look(w.now, w.status(), nil)
			}
			track := k.parts[orders0]
			if track == nil || !track.known {
				return
			}
			if track.at.After(w.now) {
				t.Fatalf("complete in the future: %s at %s", track.at, w.now)
			}
			for offset := w.next; offset < len(w.appended); offset++ {
				if w.appended[offset].Before(track.at) {
					t.Fatalf("complete up to %s, but offset %d of %s is not copied", track.at, offset, w.appended[offset])
				}
			}
		}))
	})
}

func withCheck(actions map[string]func(*rapid.T), check func(*rapid.T)) map[string]func(*rapid.T) {
	actions[""] = check
	return actions
}

func TestLagInSecondsGrowsWhileBroken(t *testing.T) {
	w, k := &world{now: began, held: true, open: true}, newTracker()
	step := func(d time.Duration, hears bool) *float64 {
		w.now = w.now.Add(d)
		if hears {
			w.known, w.heardAt = len(w.appended), w.now
			w.next = w.known
		}
		k.look(w.now, w.status(), nil)
		return k.pairs[ordersFlow.Pair].seconds(w.now)
	}
	w.appended = []time.Time{began}
	steps := []struct {
		after time.Duration
		hears bool
		want  *float64
	}{
		{0, false, nil},                    // just taken: nothing can be said
		{3 * time.Second, false, new(3.)},  // the source was never heard: since it was taken
		{time.Second, true, new(0.)},       // idle and heard
		{time.Second, true, new(0.)},       //
		{time.Minute, false, new(60.)},     // silence, though nothing is known to lag
		{time.Minute, false, new(120.)},    //
		{100 * time.Second, true, new(0.)}, // heard again
	}
	for i, s := range steps {
		if diff := cmp.Diff(s.want, step(s.after, s.hears)); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestUnderSteadyLoadLagIsAtMostTwoLooks(t *testing.T) {
	w, k := &world{now: began, held: true, open: true}, newTracker()
	for range 50 {
		w.now = w.now.Add(time.Second)
		w.next = w.known // all that was heard of a second ago has arrived, and more has come meanwhile
		w.appended = append(w.appended, w.now)
		w.known, w.heardAt = len(w.appended), w.now
		k.look(w.now, w.status(), nil)
	}
	if got := *k.parts[orders0].seconds(w.now); got > 2 {
		t.Errorf("%v s, want at most 2", got)
	}
}

func TestTotalsAreForgottenWithWhatTheyCount(t *testing.T) {
	top, err := topology.Parse("t.yaml", []byte(`{version: 1, mesh: m, clusters: {us: {bootstrap: ["a:1"]}, eu: {bootstrap: ["b:1"]}}, nodes: {u: {datacenter: us, address: 127.0.0.1}, e: {datacenter: eu, address: 127.0.0.2}}, links: [{between: [us, eu], topics: {include: [".*"]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	gone := topology.Topology{}
	fresh := func() (*world, *tracker) {
		w, k := &world{now: began, held: true, open: true}, newTracker()
		w.stats.Records = 5
		k.look(w.now, w.status(), top)
		return w, k
	}
	notReady := func(s flow.Status) flow.Status { s.Pairs[0].Ready, s.Pairs[0].Topics = false, nil; return s }
	noTopic := func(s flow.Status) flow.Status { s.Pairs[0].Topics, s.Pairs[0].Partitions = nil, nil; return s }
	tests := map[string]struct {
		status func(flow.Status) flow.Status
		top    *topology.Topology
		kept   bool
	}{
		"still there":                   {func(s flow.Status) flow.Status { return s }, top, true},
		"the pair went to another node": {func(flow.Status) flow.Status { return flow.Status{} }, top, true},
		"the pair starts again":         {notReady, top, true},
		"the topic is gone":             {noTopic, top, false},
		"the link is gone":              {func(flow.Status) flow.Status { return flow.Status{} }, &gone, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w, k := fresh()
			k.look(w.now, tc.status(w.status()), tc.top)
			if _, kept := k.totals[ordersFlow]; kept != tc.kept {
				t.Errorf("kept: %t, want %t", kept, tc.kept)
			}
		})
	}
}

func TestErrorsCountWhatBegins(t *testing.T) {
	k := newTracker()
	with := func(r *kafka.Reason) flow.Status {
		return flow.Status{Pairs: []flow.PairStatus{{Source: "us", Destination: "eu", Reason: r}}}
	}
	silent, denied := &kafka.Reason{Code: kafka.ClusterUnreachable}, &kafka.Reason{Code: kafka.PermissionDenied}
	for _, r := range []*kafka.Reason{nil, silent, silent, nil, silent, denied, nil} {
		k.look(began, with(r), nil)
	}
	if k.errors[silent.Code] != 2 || k.errors[denied.Code] != 1 || len(k.errors) != 2 {
		t.Errorf("counted %v", k.errors)
	}
}
