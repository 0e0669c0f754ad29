// Package groups reads the consumer groups of a Kafka cluster and sets their places there.
//
//	List     ListGroups, every broker at once
//	Commits  OffsetFetch, one request for all groups of a coordinator
//	Place    a compare-and-set that Kafka decides, up to 50 groups a transaction:
//
//	    look ──> AddOffsetsToTxn ──> records ──> TxnOffsetCommit ──> look again ──> EndTxn(commit)
//	     │         each group       of meshd's    the new place       the place      all of the batch
//	     │                          own topic      is pending         before it,
//	  not as expected: left out                                       the state
//	                                                                   └─ one differs: EndTxn(abort), again without it
//
// Why that decides: the coordinator keeps of two commits the one that was appended later, and a pending commit counts as appended
// when it became pending. A commit appended before ours is seen by the second look; one appended after ours wins without being
// seen, partition by partition. Nobody joins the group, and consumers that only assign, which always look empty, are safe too.
//
// Invariants: a group is set only where every commit is the one that the caller read and the group has no member; never to a lower
// offset, never below 0; always without a leader epoch, for one that the cluster does not know stalls or resets consumers. Either
// all partitions of a group and its record are set, or none. Who reads the records must read committed ones only.
//
// Requests are pinned below transaction version 2 (KIP-890), where EndTxn raises the epoch and partitions join implicitly.
//
// The package must never decide where a group belongs, never take a missing answer for a missing group, and never let a
// coordinator that does not answer hold up the groups of another.
package groups
