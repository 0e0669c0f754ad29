// Package state is what the nodes of one datacenter agree on by raft, and how it changes: the accepted topology, who owns which
// shard, and what an operator has paused. It is pure: no clock, no I/O, no goroutine.
//
//	Command --Encode--> bytes --raft log--> bytes --Decode--> Command
//	                                                             |
//	                                   State --------------------+--> Apply --> State', Result
//
// Invariants:
//
//   - Apply is a function of its arguments alone. It never changes the State that it is given: states share what did not change.
//   - The assignment's epoch only grows, and a shard whose owner changes gets the new epoch. So of two assignments of one shard
//     the one with the higher epoch is the later one, and a holder that knows by which epoch it holds can tell whether an
//     assignment that it hears of supersedes it.
//   - The accepted topology only rises in the order of (version, hash).
//   - A command that can't be carried out is a Result that says why, and leaves the state as it was.
//   - Commands and snapshots carry the version of their format. One that is newer than this code is an error of Decode: a node
//     that went on without it would differ from the others, so raftstore panics.
//
// It must never ask who is alive, or decide who should own a shard: that is mesh/placement.
package state
