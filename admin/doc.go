// Package admin shows what a node does, to people and to programs: JSON over HTTP, and health for whoever restarts processes.
// Package admin/metrics makes Prometheus metrics of the same view.
//
//	flow.Manager ──Status()──> Watch ──Look()──> View ──┬──> /v1/status /v1/flows /readyz      Server
//	                           │  looks once a second,  └──> metrics.Metrics ──> /metrics
//	                           └─ Tracker: since when what is complete, and sums that outlive a shard's stay
//
//	Groups, Nodes, Translator, Topologies ──> /v1/groups /v1/nodes /v1/translate /v1/topology
//
// The other parts of a node come in through interfaces that stand here. A part that is missing has no route.
//
// Invariants:
//   - What is not known is null, never 0. A lag in seconds grows while nothing is heard.
//   - An answer is made whole before its first byte is sent, so an error is never half an answer.
//   - Answers bear no secret: a topology names files and variables of the environment, not what is in them.
//
// It must never decide anything, hold up the data path, or be needed by it: a node without this package replicates as well.
package admin
