package raftstore

import (
	"errors"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of a store. Gauges are read from raft when they are asked for.
type metrics struct {
	registry prometheus.Registerer
	refused  prometheus.Counter
	all      []prometheus.Collector
}

func newMetrics(registry prometheus.Registerer) *metrics {
	refused := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "meshd_raft_refused_total", Help: "Raft connections that were refused because they came from another mesh or datacenter.",
	})
	return &metrics{registry: registry, refused: refused, all: []prometheus.Collector{refused}}
}

func (m *metrics) register(s *Store) error {
	gauge := func(name, help string, value func() float64) {
		m.all = append(m.all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("meshd_raft_is_leader", "1 if this node leads its datacenter.", func() float64 { return truth(s.raft.State() == raft.Leader) })
	gauge("meshd_raft_has_leader", "1 if this node knows a leader of its datacenter.", func() float64 {
		leader, _ := s.Leader()
		return truth(leader != "")
	})
	gauge("meshd_raft_term", "Raft's term.", func() float64 { return float64(s.raft.CurrentTerm()) })
	gauge("meshd_raft_commit_index", "Last entry known to be committed.", func() float64 { return float64(s.raft.CommitIndex()) })
	gauge("meshd_raft_applied_index", "Last entry that was applied.", func() float64 { return float64(s.raft.AppliedIndex()) })
	var errs []error
	for _, c := range m.all {
		errs = append(errs, m.registry.Register(c))
	}
	return errors.Join(errs...)
}

func (m *metrics) unregister() {
	for _, c := range m.all {
		m.registry.Unregister(c)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
