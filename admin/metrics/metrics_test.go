package metrics_test

import (
	"bytes"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/admintest"
	"github.com/meshd/meshd/admin/metrics"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

var rewrite = flag.Bool("rewrite", false, "write what is exposed to the files of testdata")

type fixture struct {
	*metrics.Metrics
	registry *prometheus.Registry
	watch    *admin.Watch
}

func newFixture(t *testing.T, n *admintest.Node) *fixture {
	t.Helper()
	f := &fixture{registry: prometheus.NewPedanticRegistry(), watch: admin.NewWatch(n, n)}
	var err error
	if f.Metrics, err = metrics.New(f.registry, "1.2.0"); err != nil {
		t.Fatal(err)
	}
	if err := f.Follow(f.watch, n); err != nil {
		t.Fatal(err)
	}
	return f
}

// scrape returns what Prometheus would get. What differs by the toolchain is left out.
func (f *fixture) scrape(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	metrics.Handler(f.registry).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return regexp.MustCompile(`goversion="[^"]*"`).ReplaceAllString(w.Body.String(), `goversion="go"`)
}

// lines are those of a scrape that begin so.
func lines(scrape, prefix string) (out []string) {
	for line := range strings.Lines(scrape) {
		if strings.HasPrefix(line, prefix) {
			out = append(out, strings.TrimSuffix(line, "\n"))
		}
	}
	return out
}

var shard3 = topology.Shard{Origin: "us", Destination: "eu", Number: 3}

func TestExposition(t *testing.T) {
	nodes := map[string]func(time.Time) *admintest.Node{
		"well": admintest.Well, "troubled": admintest.Troubled, "cut": admintest.Cut, "spoke": admintest.Spoke,
		"starting": func(time.Time) *admintest.Node { return admintest.Starting() },
	}
	for name, node := range nodes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, node(time.Now()))
				f.TookOver(shard3)
				f.Arrived(shard3, flow.Spec{}, 3*time.Millisecond)
				f.Switched(topology.Pair{Source: "us", Destination: "eu"}, "orders", loop.Unreachable)
				golden(t, name+".prom", []byte(f.scrape(t)))
			})
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *rewrite {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s (-want +got):\n%s", file, cmp.Diff(string(want), string(got)))
	}
}

// TestCountersOutliveAShardsStay takes a shard away, and gives it back to count from 0 under another writer.
func TestCountersOutliveAShardsStay(t *testing.T) {
	n := admintest.Well(time.Now())
	held := n.Flow.Pairs
	f := newFixture(t, n)
	const name = `meshd_flow_records_total{destination="eu",link="us->eu",source="us",topic="orders"} `
	steps := []struct {
		do   func()
		want []string
	}{
		{func() {}, []string{"50000"}},
		{func() { held[0].Partitions[0].Stats.Records += 7 }, []string{"50007"}},
		{func() { n.Flow.Pairs = nil }, nil},
		{func() {
			held[0].Partitions[0].Stats.Records, held[0].Shards[0].Writer = 3, "4003/2"
			n.Flow.Pairs = held
		}, []string{"50010"}},
		{func() { held[0].Partitions[0].Stats.Records, held[0].Shards[0].Writer = 60_000, "4003/3" }, []string{"110010"}},
	}
	for i, s := range steps {
		s.do()
		var want []string
		for _, v := range s.want {
			want = append(want, name+v)
		}
		got := lines(f.scrape(t), "meshd_flow_records_total")
		if diff := cmp.Diff(want, withoutExponent(got)); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
}

func withoutExponent(in []string) (out []string) {
	for _, s := range in {
		out = append(out, strings.Replace(s, "1.1001e+05", "110010", 1))
	}
	return out
}

// TestLabelsVanishWithTheirLink takes a link out of the topology.
func TestLabelsVanishWithTheirLink(t *testing.T) {
	n := admintest.Well(time.Now())
	f := newFixture(t, n)
	f.TookOver(shard3)
	f.Arrived(shard3, flow.Spec{}, time.Millisecond)
	if n := len(lines(f.scrape(t), "meshd_takeovers_total")); n != 1 {
		t.Fatalf("%d counters of take-overs", n)
	}
	n.Flow.Pairs, n.Topologies.Current = nil, new(topology.Topology)
	f.scrape(t) // the scrape that finds it gone
	if got := f.scrape(t); strings.Contains(got, "us->eu") {
		t.Errorf("still there:\n%s", got)
	}
}

func TestPartitionsAreExposedOnRequest(t *testing.T) {
	n := admintest.Well(time.Now())
	f := newFixture(t, n)
	if got := lines(f.scrape(t), "meshd_partition_lag_records"); len(got) != 1 {
		t.Errorf("with metrics.per_partition: %q", got)
	}
	without := *n.Topologies.Current
	without.Metrics.PerPartition = false
	n.Topologies.Current = &without
	if got := lines(f.scrape(t), "meshd_partition_lag_records"); len(got) != 0 {
		t.Errorf("without: %q", got)
	}
}

func TestLatencyOfTimesThatCannotBe(t *testing.T) {
	f := newFixture(t, admintest.Well(time.Now()))
	f.Arrived(shard3, flow.Spec{}, -time.Hour)                     // the source's clock is ahead
	f.Arrived(shard3, flow.Spec{}, time.Since(time.UnixMilli(-1))) // no timestamp
	f.Arrived(shard3, flow.Spec{}, time.Since(time.UnixMilli(0)))  // nor here
	f.Arrived(shard3, flow.Spec{}, 2*time.Hour)                    // a backlog
	got := f.scrape(t)
	want := []string{
		`meshd_replication_latency_seconds_sum{destination="eu",link="us->eu",source="us"} 7200`,
		`meshd_replication_latency_seconds_count{destination="eu",link="us->eu",source="us"} 2`,
	}
	if diff := cmp.Diff(want, append(lines(got, "meshd_replication_latency_seconds_sum"), lines(got, "meshd_replication_latency_seconds_count")...)); diff != "" {
		t.Error(diff)
	}
}

func TestPanicsAreCounted(t *testing.T) {
	f := newFixture(t, admintest.Well(time.Now()))
	f.Panicked()
	if got := lines(f.scrape(t), "meshd_admin_panics_total"); len(got) != 1 || got[0] != "meshd_admin_panics_total 1" {
		t.Errorf("%q", got)
	}
}

func TestRegisteringTwiceIsAnError(t *testing.T) {
	n := admintest.Well(time.Now())
	f := newFixture(t, n)
	if _, err := metrics.New(f.registry, "1.2.0"); err == nil {
		t.Error("New twice was taken")
	}
	if err := f.Follow(f.watch, nil); err == nil {
		t.Error("Follow twice was taken")
	}
}

func BenchmarkArrived(b *testing.B) {
	m, err := metrics.New(prometheus.NewRegistry(), "1.2.0")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Arrived(shard3, flow.Spec{}, time.Millisecond)
	}
}
