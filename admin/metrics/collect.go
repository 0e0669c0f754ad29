package metrics

import (
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/topology"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

func linkDesc(name, help string, more ...string) *prometheus.Desc {
	return desc(name, help, append(append([]string{}, linkLabels...), more...)...)
}

var (
	lagRecords = linkDesc("meshd_flow_lag_records",
		"Source offsets of a topic that are not at the destination yet, in the partitions that this node holds. NaN while a partition is not open or its source is not heard.", "topic")
	lagSeconds = linkDesc("meshd_flow_lag_seconds",
		"All that the source had so long ago is at the destination. Grows while broken; while a partition was never complete here, since this node took it.", "topic")
	recordsTotal = linkDesc("meshd_flow_records_total", "Records that this node copied.", "topic")
	bytesTotal   = linkDesc("meshd_flow_bytes_total", "Bytes of record batches that this node wrote.", "topic")
	suppressed   = linkDesc("meshd_suppressed_records_total",
		"Records that were left out: of aborted transactions (aborted), or not to be had from the source and stepped over by policy (gap; these are offsets).", "topic", "reason")
	corrupt = linkDesc("meshd_corrupt_batches_total", "Batches of the source that could not be read: a wrong CRC, length or count, an unknown format or codec.", "topic")
	partLag = linkDesc("meshd_partition_lag_records", "As meshd_flow_lag_records, for one partition.", "topic", "partition")
	rpo     = linkDesc("meshd_rpo_seconds",
		"All that the source had so long ago is at the destination, for what this node holds of the link. Grows while broken.")
	throttled = linkDesc("meshd_throttled_seconds_total", "For how long limit.bytes_per_second has held reading back on this node; of several limits of a link, the sum.")
	up        = linkDesc("meshd_link_up",
		"1 if something of the link moves or there is nothing to move; 0 if it stands still for a reason. Only links that this node holds something of.", "reason")
	shardState   = linkDesc("meshd_shard_state", "1 for the state in which a shard of this node is; other states are absent.", "shard", "state")
	errorsTotal  = desc("meshd_errors_total", "How often a link, topic, shard or partition of this node came to stand still, by the code of the reason.", "class")
	topoInfo     = desc("meshd_topology_info", "Always 1; absent before a topology is accepted.", "version", "hash")
	groupStates  = desc("meshd_group_sync_state", "Consumer groups that this node moves into a cluster, by what is done for them.", "home", "state")
	groupRereads = desc("meshd_group_redelivery_records",
		"Consumed records that the groups of a cluster would see again if they moved there now, all groups together, at most.", "home")
	groupAge = desc("meshd_group_sync_age_seconds", "Since the last round of group sync that succeeded; absent before the first.", "home")
	memory   = desc("meshd_bytes_in_flight", "Bytes of records that this node holds in memory.")
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
	for _, d := range []*prometheus.Desc{
		lagRecords, lagSeconds, recordsTotal, bytesTotal, suppressed, corrupt, throttled, partLag, rpo, up, shardState, errorsTotal, topoInfo, memory,
		groupStates, groupRereads, groupAge,
	} {
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
	at := []string{f.Link, string(f.Source), string(f.Destination), f.Topic}
	if f.Held > 0 {
		s.gauge(lagRecords, orNaN(f.LagRecords), at...)
		s.gauge(lagSeconds, orNaN(f.LagSeconds), at...)
	}
	if f.Held > 0 || f.Totals != (admin.Totals{}) {
		s.counter(recordsTotal, float64(f.Totals.Records), at...)
		s.counter(bytesTotal, float64(f.Totals.Bytes), at...)
		s.counter(suppressed, float64(f.Totals.Aborted), append(at, "aborted")...)
		s.counter(suppressed, float64(f.Totals.GapRecords), append(at, "gap")...)
		s.counter(corrupt, float64(f.Totals.Corrupt), at...)
	}
	if !perPartition {
		return
	}
	for _, p := range f.Parts {
		s.gauge(partLag, orNaN(p.LagRecords), append(at, strconv.Itoa(int(p.Partition)))...)
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
