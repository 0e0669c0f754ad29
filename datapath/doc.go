// Package datapath is everything that a node does with records and groups: one desired set in, running loops out. It runs alone
// from a file, with no raft and no gossip, as a benchmark does, and a node that lost both.
//
//	Apply(topology, held) ─┬─> flow.Manager        copies the shards held
//	                       └─> groupsync.Syncer    one a destination cluster, on the node that holds its first shard
//
// It must never import the control plane.
package datapath
