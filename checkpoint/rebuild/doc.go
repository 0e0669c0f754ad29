// Package rebuild makes a cluster's registries again, meshd.topics and meshd.writers, after they were lost as a whole or in part, from
// what cannot lie about them.
//
//	meshd.progress.<origin>  keys, topic ids ─────────────> topics: which is the copy of what
//	  and meshd.offsets.*    who wrote them, their owners ─> writers: only a shard's own writer writes there
//	copies                   batches at places of a map ───> writers that were replaced since; headers: whose alias an origin has
//	neighbours               ──────────────────────────────< the new birth, for those who read from here
//
// Invariants:
//   - Nothing is done while a node runs there: what it writes meanwhile would not be found.
//   - What is in a registry stays; nothing is taken back. What can't be proven is not written, but said.
//   - Writers are there before a registry says that it is whole, so that a crash leaves one that is lost still.
//
// It must never guess who wrote a batch: one that is taken for a writer's hides a loop, one that is taken for an application's makes one.
package rebuild
