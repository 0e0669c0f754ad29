package metrics

import (
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

// collector makes metrics of a look at each scrape.
type collector struct {
	watch   *admin.Watch
	groups  admin.Groups // nil: not here
	metrics *Metrics

	mu   sync.Mutex
	seen map[topology.Pair]bool // links that had a look
}

// Describe is of prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range descs {
		out <- d
	}
}

// Collect is of prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	v := c.watch.Look()
	s := sink{out}
	for _, l := range v.Links {
		s.link(l)
	}
	perPartition := v.Topology != nil && v.Topology.Metrics.PerPartition
	for _, f := range v.Flows {
		s.flow(f, perPartition)
	}
	for class, n := range v.Errors {
		s.counter(errorsTotal, float64(n), class)
	}
	if v.Topology != nil {
		s.gauge(topoInfo, 1, strconv.FormatInt(v.Topology.Version, 10), v.Topology.Hash())
	}
	s.gauge(memory, float64(v.Memory))
	if c.groups != nil {
		s.groups(v.At, c.groups.Groups())
	}
	c.forget(v)
}

// forget drops the histograms and counters of links that the topology has no more.
func (c *collector) forget(v admin.View) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := map[topology.Pair]bool{}
	for _, l := range v.Links {
		now[topology.Pair{Source: l.Source, Destination: l.Destination}] = true
	}
	for p := range c.seen {
		if !now[p] {
			gone := prometheus.Labels{"link": p.String()}
			c.metrics.latency.DeletePartialMatch(gone)
			c.metrics.takeovers.DeletePartialMatch(gone)
			c.metrics.switches.DeletePartialMatch(gone)
		}
	}
	c.seen = now
}

// sink turns what was looked at into metrics.
type sink struct{ out chan<- prometheus.Metric }

func (s sink) gauge(d *prometheus.Desc, v float64, labels ...string) {
	s.out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (s sink) counter(d *prometheus.Desc, v float64, labels ...string) {
	s.out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func (s sink) link(l admin.LinkStatus) {
	if l.State == admin.Elsewhere || l.State == admin.Paused {
		return
	}
	at := []string{l.Link, string(l.Source), string(l.Destination)}
	s.gauge(up, bit(l.Up), append(at, downReason(l))...)
	s.gauge(rpo, orNaN(l.RPOSeconds), at...)
	s.gauge(hop, orNaN(l.HopSeconds), at...)
	s.counter(throttled, l.ThrottledSeconds, at...)
	for _, sh := range l.Shards {
		s.gauge(shardState, 1, append(at, strconv.Itoa(sh.Number), string(sh.State))...)
	}
}

// downReason is why a link is not up: the code of a reason, or the state that it is in.
func downReason(l admin.LinkStatus) string {
	switch {
	case l.Up:
		return ""
	case l.Reason != nil:
		return l.Reason.Code
	}
	return string(l.State)
}

func (s sink) flow(f admin.FlowStatus, perPartition bool) {
	at := slices.Clip([]string{f.Link, string(f.Source), string(f.Destination), f.Topic})
	if f.Held > 0 {
		s.gauge(lagRecords, orNaN(f.LagRecords), at...)
		s.gauge(lagSeconds, orNaN(f.LagSeconds), at...)
	}
	for _, cluster := range f.From {
		s.gauge(from, 1, append(at, string(cluster))...)
	}
	if f.Incarnation > 0 {
		s.gauge(remade, float64(f.Incarnation), at...)
	}
	if f.Held > 0 || f.Totals != (admin.Totals{}) {
		s.totals(at, f.Totals)
		s.ruled(at, f.Totals.Ruled, f.Identity)
	}
	if !perPartition {
		return
	}
	for _, p := range f.Parts {
		s.gauge(partLag, orNaN(p.LagRecords), append(at, strconv.Itoa(int(p.Partition)))...)
	}
}

func (s sink) totals(at []string, t admin.Totals) {
	s.counter(recordsTotal, float64(t.Records), at...)
	s.counter(bytesTotal, float64(t.Bytes), at...)
	s.counter(suppressed, float64(t.Aborted), append(at, "aborted")...)
	s.counter(suppressed, float64(t.GapRecords), append(at, "gap")...)
	s.counter(corrupt, float64(t.Corrupt), at...)
	g := t.Gaps
	for why, n := range map[string]int64{"retention": g.Retention, "copied": g.Copied, "unreadable": g.Unreadable, "truncated": g.Truncated, "other": g.Other} {
		if n > 0 {
			s.counter(gaps, float64(n), append(at, why)...)
		}
	}
}

// ruled leaves out what the topic's naming has not.
func (s sink) ruled(at []string, r flow.Ruled, identity bool) {
	reasons := map[string]int64{"by_writer": r.ByWriter, "by_application": r.ByApplication}
	if identity {
		reasons = map[string]int64{"own": r.Own, "seen": r.Seen, "other_source": r.OtherSource}
		s.counter(stamped, float64(r.Stamped), at...)
		s.counter(copied, float64(r.CopiedHeader), at...)
	}
	for reason, n := range reasons {
		s.counter(suppressed, float64(n), append(at, reason)...)
	}
}

func (s sink) groups(now time.Time, all []admin.GroupsAt) {
	for _, at := range all {
		home := string(at.Home)
		var rereads int64
		states := map[admin.GroupState]int{}
		for _, g := range at.Statuses() {
			states[g.State]++
			rereads += g.Rereads
		}
		for state, n := range states {
			s.gauge(groupStates, float64(n), home, string(state))
		}
		if !at.SyncedAt.IsZero() {
			s.gauge(groupRereads, float64(rereads), home)
			s.gauge(groupAge, max(0, now.Sub(at.SyncedAt)).Seconds(), home)
		}
	}
}

func orNaN[T int64 | float64](v *T) float64 {
	if v == nil {
		return math.NaN()
	}
	return float64(*v)
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
