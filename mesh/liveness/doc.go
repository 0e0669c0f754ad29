// Package liveness reads, of every cluster that the nodes of a datacenter write into, who is registered for which shard and whose
// shards turn.
//
//	meshd.writers ──┐
//	meshd.nodes ────┴─> follower (one a cluster) ──> placement.Kafka ──> mesh
//
// It only reads, but for the two topics themselves, which it makes: without them nobody could be seen to hold nothing. What it
// did not read lately it does not claim: placement.Kafka says when that was.
package liveness
