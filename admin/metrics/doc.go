// Package metrics makes Prometheus metrics of what a node does.
//
//	flow ──Arrived, TookOver──> Metrics ──> histogram, counters
//	admin.Watch ──Look()──> at each scrape ──> gauges, and counters that the watch adds up
//
// Invariants:
//   - A gauge is made at the scrape from what is then: its labels vanish with what they describe.
//   - What is not known is NaN or absent, and the help text says which; it is never 0.
//   - A counter never goes back, also where a shard leaves this node and returns.
//
// It must never block the data path, and never bear a label whose values nobody bounds: topics and shards are bounded by the
// topology, consumer groups are not.
package metrics
