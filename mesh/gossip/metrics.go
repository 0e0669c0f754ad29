package gossip

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	registry prometheus.Registerer
	refused  *prometheus.CounterVec
	dropped  prometheus.Counter
	members  membersCollector
}

func newMetrics(registry prometheus.Registerer, members func() []Member) *metrics {
	return &metrics{
		registry: registry,
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meshd_gossip_refused_total", Help: "Gossip that was refused, by reason.",
		}, []string{"reason"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "meshd_gossip_dropped_total", Help: "Packets and streams that were dropped because a pool was busy.",
		}),
		members: membersCollector{members, prometheus.NewDesc("meshd_gossip_member",
			"Other nodes as gossip knows them: 1 for the state that each is in.", []string{"node", "datacenter", "state"}, nil)},
	}
}

func (m *metrics) register() error {
	return errors.Join(m.registry.Register(m.refused), m.registry.Register(m.dropped), m.registry.Register(m.members))
}

func (m *metrics) unregister() {
	m.registry.Unregister(m.refused)
	m.registry.Unregister(m.dropped)
	m.registry.Unregister(m.members)
}

// membersCollector reads the members when it is asked, so that a label vanishes with its node.
type membersCollector struct {
	members func() []Member
	desc    *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c membersCollector) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect implements prometheus.Collector.
func (c membersCollector) Collect(to chan<- prometheus.Metric) {
	for _, m := range c.members() {
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, 1, m.Name, m.Datacenter, m.State.String())
	}
}
