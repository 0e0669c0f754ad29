// Package demo is meshd shown to somebody who has no Kafka at hand: a mesh of three datacenters in one process, applications that
// write and read, a node and a datacenter that die, and a count of every record at the end.
//
//	Run ──> story ──> world    clusters (kfake), applications, nodes      what happens
//	          │         └ Plane  the nodes of meshd
//	          ├─────> screen   a panel on a terminal, lines elsewhere     what is shown
//	          └─────> judge    every record of every log, and of the group's reading ──> Verdict
//
// The applications and the audit are plain Kafka clients: what is shown while it runs is what meshd says of itself, and the verdict
// is counted from the records alone.
//
// Invariants: each wait is for a condition and has a limit; the same seed writes the same records; when Run returns, nothing runs.
//
// The verdict must never be made from meshd's own numbers.
package demo
