package mesh

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	registry  prometheus.Registerer
	takeovers prometheus.Counter
	unowned   prometheus.Gauge
	topology  topologyCollector
}

func newMetrics(registry prometheus.Registerer, k *keeper) *metrics {
	return &metrics{
		registry:  registry,
		takeovers: prometheus.NewCounter(prometheus.CounterOpts{Name: "meshd_takeovers_without_leader_total", Help: "Shards that this node took over though no leader gave them to it."}),
		unowned:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "meshd_shards_unowned", Help: "Shards of the datacenter that nobody alive is assigned; from the leader."}),
		topology: topologyCollector{k, prometheus.NewDesc(
			"meshd_topology_offers", "Topologies that were offered to this node or heard of, and not taken.", nil, nil)},
	}
}

func (m *metrics) register() error {
	return errors.Join(m.registry.Register(m.takeovers), m.registry.Register(m.unowned), m.registry.Register(m.topology))
}

func (m *metrics) unregister() {
	m.registry.Unregister(m.takeovers)
	m.registry.Unregister(m.unowned)
	m.registry.Unregister(m.topology)
}
