// Package gossip tells a node who is alive, and carries small facts between nodes: versions of the topology, addresses, load.
// It is memberlist (SWIM) twice over one port.
//
//	UDP and TCP, one port, AES-GCM if there is a keyring
//	                |
//	               mux ── by label ──> LAN pool "meshd/<mesh>/lan/<datacenter>"   nodes of this datacenter
//	                |                  WAN pool "meshd/<mesh>/wan"                all nodes
//	             refused: another mesh, another datacenter's LAN, no label
//
// Two pools, because they want different times and must not disturb each other: in the LAN a dead node is known within 1.5 s; over
// the WAN a lost packet means little. A node of this datacenter is alive or dead by the LAN pool alone, so the loss of the WAN
// changes nothing at home. One port, because the topology has one: memberlist begins each packet and stream with a label, and the
// mux deals them out by it. The label names the mesh, so a node of another one is refused at the door; under encryption it is
// authenticated too.
//
//	node's meta data (512 bytes, by UDP)   datacenter, version and hash of its topology, raft and admin addresses, whether it leaves
//	user messages (TCP, LAN, every 2 s)    bytes/s of each shard that it writes
//	push/pull state (TCP)                  the topology itself: a node that hears of a higher (version, hash) asks for it at once
//
// Invariants:
//
//   - Only nodes that the topology lists are members, and only they are listened to.
//   - Whatever gossip says may be wrong, late or missing. Nothing unsafe follows from it.
//   - Callbacks of memberlist hold its lock: they only note what they are told.
//   - Nothing here waits for a peer longer than two seconds; Close returns when no goroutine of this package is left;
//     a probe that memberlist has under way then ends by itself, within four seconds.
package gossip
