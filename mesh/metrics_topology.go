package mesh

import "github.com/prometheus/client_golang/prometheus"

// topologyCollector counts what was offered when it is asked.
type topologyCollector struct {
	keeper *keeper
	offers *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c topologyCollector) Describe(to chan<- *prometheus.Desc) {
	to <- c.offers
}

// Collect implements prometheus.Collector.
func (c topologyCollector) Collect(to chan<- prometheus.Metric) {
	to <- prometheus.MustNewConstMetric(c.offers, prometheus.GaugeValue, float64(len(c.keeper.reported())))
}
