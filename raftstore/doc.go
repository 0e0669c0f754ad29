// Package raftstore is a node's part in the raft group of its datacenter: it keeps a state.State on disk, the same on every node.
//
//	Propose ──> raft log (bbolt) ──committed──> fsm ── state.Apply ──> state.json ──> State, Watch, WaitIndex
//	               ^  |                          |
//	           TCP, mutual TLS               snapshots (files)
//
// The data directory belongs to one node: it is locked while that runs, and it remembers whose it is.
//
//	lock, node.json     who has it, and whose it is
//	raft.db             raft's log, term and vote
//	snapshots/          raft's snapshots
//	state.json          the last state that was applied, written anew, whole, at each change
//
// Raft itself knows after a restart only what its snapshot says: log entries count as committed when a leader says so. A node must run
// its last assignment at once and without a leader, so the state is also kept in state.json. State returns that until raft has come
// as far again, and never goes back behind it.
//
// The log store is our own, on bbolt. raft-boltdb/v2 (2.3.1) does not build with raft 1.8 and memberlist 0.7, whose go-metrics dropped
// a package that it imports. raft-wal (0.4.0) is made for logs of gigabytes and keeps a lock of its own after Close, so that a log
// can't be opened twice in one process, which tests of restarts and the demonstration of several nodes in one process need. A few
// entries a minute want neither: one bbolt transaction for an append is 0.1 ms and a hundred lines.
//
// Invariants:
//
//   - A raft connection begins with the names of the mesh and the datacenter, and is refused if they are not this node's: raft looks
//     at membership for votes only, not for entries.
//   - Bootstrap is what each listed node does when its disk is empty, all with the same voters. Later changes of voters are entries in
//     the log, proposed by the leader.
//   - What can't be decoded when it is applied panics. A node that went on would hold another state than the others.
//   - Close returns when no goroutine of the store is left, and the directory can be opened again.
//
// It must never be asked who may write a shard: that is decided in Kafka.
package raftstore
