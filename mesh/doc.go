// Package mesh makes a node of its parts: who is there, who should write what, by which topology.
//
//	     other nodes                      file, SIGHUP, admin
//	gossip |      | raft                        |
//	       v      v                             v
//	gossip.Gossip  raftstore.Store           keeper ── the topology that runs here
//	       |   \        |    ^                  |
//	       |    \       |    | proposes         |
//	       |     \--- controller (leader) <-----+
//	       |            |                       |
//	       v            v  assignment           v
//	       +--------> agent <------- Liveness (registrations and heartbeats in Kafka)
//	                    |
//	                    v  Desired, the whole set
//	                  Runner (the data path)
//
// The controller runs on the leader, the agent on every node. Both are level-triggered: each looks at everything it knows whenever
// something changed, and a few times a second anyway, and asks the pure package mesh/placement what follows.
//
// A topology is found where it is highest by (version, hash). A node takes it at once, keeps it on its disk, and tells its version
// and hash in gossip; who hears of a higher one asks for its content by memberlist's push/pull over TCP, which is encrypted as the
// rest of gossip, and which is there already, so that neither raft nor the admin API has to be reachable for it. The leader has
// raft agree on it, for the record. No part of safety depends on who has which topology.
//
// Lifecycle: Start brings up what others stand on first, and none of it waits for another node; Close goes the other way round. The
// reasons stand at each step. Leave is a planned stop: it hands over, and then Close follows.
//
// Invariants:
//
//   - A node runs its last assignment from its disk as soon as it has read, in Kafka, that nobody has taken it over.
//   - What a node writes without raft, gossip or another datacenter, it goes on writing when they are gone.
//   - Nobody but the runner's own destinations is asked before something runs.
//
// It must never touch a record, and the data path must never import it.
package mesh
