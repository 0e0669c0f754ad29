// Package placement decides who writes a shard: where the leader of a datacenter puts it, and what a node runs of what it is told, of
// what it finds in Kafka, and where no leader is. It is pure: time is an argument, and whatever is measured comes in.
//
//	leader   shards, members, load, previous ── Plan ──> Assignment ── raft ──┐
//	                                                                          v
//	node     last assignment (raft or disk), registrations and heartbeats (Kafka), who is dead (gossip) ── Rule.Decide ──> []Held
//
// Invariants of Plan: every shard has an owner; the loss of a node moves only its own shards; what need not move stays; the order in
// which nodes and shards are named changes nothing.
//
// Invariants of Decide, checked by a model of three nodes under all views of who is alive:
//
//   - No view of anyone makes a holder drain. It gives a shard up for an assignment with a higher epoch than the one it holds by, for
//     a registration in Kafka that came after its own, or because its process is stopped. A shard without partitions is not
//     registered: what was taken over and not registered goes back to whom it is assigned, if that lives, when a leader is known.
//   - A shard is opened by the assignment, by the last registration in Kafka if that is this node's own, or, only while no leader
//     is known, as a take-over: when its holder has stood still long enough.
//   - A holding says which registration it goes past (Held.Over). Whoever registers checks that this is still the last one, so that
//     of two nodes that decide alike one gives way.
//
// Two simpler rules are kept in the tests as controls: "it is mine by my view, so I open it" never comes to rest when views differ,
// and "what was once taken from me I never take back" leaves shards that nobody writes.
//
// It must never trust a clock of another machine: every time here was taken by the node that decides.
package placement
