package mesh

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// topologyCollector reads the topology when it is asked, so that the labels of an old one vanish.
type topologyCollector struct {
	keeper       *keeper
	info, offers *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c topologyCollector) Describe(to chan<- *prometheus.Desc) {
	to <- c.info
	to <- c.offers
}

// Collect implements prometheus.Collector.
func (c topologyCollector) Collect(to chan<- prometheus.Metric) {
	t := c.keeper.get().topology.Stamp()
	to <- prometheus.MustNewConstMetric(c.info, prometheus.GaugeValue, 1, strconv.FormatInt(t.Version, 10), t.Hash)
	to <- prometheus.MustNewConstMetric(c.offers, prometheus.GaugeValue, float64(len(c.keeper.reported())))
}
