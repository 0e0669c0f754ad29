package metrics

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// Metrics are all metrics of one node. It is the flow.Observer of its data path.
type Metrics struct {
	registry  prometheus.Registerer
	latency   *prometheus.HistogramVec
	takeovers *prometheus.CounterVec
	switches  *prometheus.CounterVec
	panics    prometheus.Counter
}

var _ flow.Observer = (*Metrics)(nil)

// latencyBuckets reach from a quick tail to a backlog of an hour, in seconds.
var latencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}

// New registers what needs no look at the data path. build is the version of the program.
func New(registry prometheus.Registerer, build string) (*Metrics, error) {
	m := &Metrics{
		registry: registry,
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "meshd_replication_latency_seconds", Buckets: latencyBuckets,
			Help: "From the timestamp of the youngest record of a batch to the destination's acknowledgement. Old records of a backlog count too.",
		}, linkLabels),
		takeovers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meshd_takeovers_total", Help: "Shards that this node took over, at its start too.",
		}, linkLabels),
		switches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meshd_source_changes_total", Help: "How often a topic came to be read at another cluster than before, by why that one is read. Absent before the first change.",
		}, append(slices.Clip(linkLabels), "why")),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "meshd_admin_panics_total", Help: "Requests to the admin API in which this node made a mistake; its log has the stack.",
		}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "meshd_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": build, "goversion": runtime.Version()},
	})
	info.Set(1)
	for _, c := range []prometheus.Collector{m.latency, m.takeovers, m.switches, m.panics, info} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}

// Follow registers what is made of looks at the data path and, unless g is nil, at consumer groups.
func (m *Metrics) Follow(w *admin.Watch, g admin.Groups) error {
	if err := m.registry.Register(&collector{watch: w, groups: g, metrics: m}); err != nil {
		return fmt.Errorf("registering metrics of the data path: %w", err)
	}
	return nil
}

// Handler serves what a registry gathers, in Prometheus' formats.
func Handler(g prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(g, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Panicked counts a panic of the admin API.
func (m *Metrics) Panicked() { m.panics.Inc() }

// TookOver counts a shard that was taken over.
func (m *Metrics) TookOver(s topology.Shard) { m.takeovers.WithLabelValues(linkOf(s)...).Inc() }

// Switched counts a change of source.
func (m *Metrics) Switched(at topology.Pair, _ string, why loop.Reason) {
	m.switches.WithLabelValues(at.String(), string(at.Source), string(at.Destination), whys[why]).Inc()
}

// whys are reasons of a choice as labels.
var whys = map[loop.Reason]string{loop.Nearest: "nearest", loop.Unreachable: "unreachable", loop.LeftBehind: "behind", loop.OnlyHolder: "only_holder", loop.Nobody: "nobody"}

// Arrived notes how long a batch took. A clock that is behind makes no negative times, and records without a timestamp say nothing.
func (m *Metrics) Arrived(s topology.Shard, _ flow.Spec, took time.Duration) {
	if time.Now().Add(-took).UnixMilli() <= 0 {
		return
	}
	m.latency.WithLabelValues(linkOf(s)...).Observe(max(0, took).Seconds())
}

var linkLabels = []string{"link", "source", "destination"}

func linkOf(s topology.Shard) []string {
	p := topology.Pair{Source: s.Origin, Destination: s.Destination}
	return []string{p.String(), string(p.Source), string(p.Destination)}
}
