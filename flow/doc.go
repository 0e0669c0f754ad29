// Package flow copies partitions. It runs a set of shards, each with a producer identity of its own at the destination, and
// knows nothing of who decided that they run here.
//
//	Manager.Apply(desired)
//	   └─ inflow us->eu    what us produced, at eu: finds topics, chooses where each is read, makes copies, hands partitions to shards
//	        ├─ way us, ap       clusters from which links lead to eu, and what they have of us
//	        └─ shard 0..31      one writer: epoch, registration, fence, resume, progress, maps  (a goroutine each)
//	             └─ part          one partition: queue, what is noted, what is acknowledged      (no goroutine)
//
//	source broker ──fetch──> prepare ──chunk──> part ──batch──> Outlet ──produce──> destination broker
//	 (Fetcher: a tail and a    │ sieve: what enters            (Producer: a goroutine a broker and stream)
//	  backlog a broker)        └ registered, hub: who wrote it, and where it lies at its origin
//
// Invariants:
//   - A writer is taken over only while the last who registered is whom the holding goes past, or is this shard itself. Whoever finds
//     somebody else registered after it stands down, and waits to be told anew.
//   - A batch goes out only when the destination's log shows this epoch's own marker in that partition.
//   - The meaning of a sequence number is acknowledged in the progress topic before a batch carries it.
//   - At most five batches of a partition are under way, in order; the first is repeated byte for byte until it is answered.
//   - What is held in memory is bounded by the budget, however far the source is ahead and however long the destination is silent.
//   - What enters lies above the frontier of its origin, and that follows from the runs that are written ahead.
//   - What stops one partition stops that partition, with a reason in words.
//
// It must never import the control plane, and never believe gossip, raft or a clock about who may write.
package flow
