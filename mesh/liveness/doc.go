// Package liveness reads, of every cluster that the nodes of a datacenter write into, who is registered for which shard and whose
// shards turn.
//
//	meshd.writers ──┐
//	meshd.nodes ────┴─> follower (one a cluster) ──> placement.Kafka ──> mesh
//
// It only reads, but for the two topics themselves, which it makes: without them nobody could be seen to hold nothing. What it
// did not read lately it does not claim: placement.Kafka says when that was.
//
// Invariants:
//
//   - The registry of writers is made once in the life of a cluster. One that was there, and is gone or another, is registry_lost: it is
//     shown as trouble, what was read grows stale, and so nothing is opened there until an operator decides, and starts the nodes again.
//   - meshd.nodes may be made anew: then the watching begins anew too.
//   - Movement is what came after the first complete read. A read that fails goes on where it stood, and shows no heartbeat twice.
//
// It must never make a registry that somebody else may have lost.
package liveness
