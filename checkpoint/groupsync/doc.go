// Package groupsync keeps the places of consumer groups at one cluster in step with the other clusters, so that a group can go on
// here where it stopped there, in either direction.
//
//	each cluster: groups, commits, registry of topics ─┐
//	each pair of clusters: offset maps ────────────────┼─> offsetxlate.Decide ─> places ─> transactions at home ─> custody
//	meshd.groups of each cluster: who placed what ─────┘                     └─> MM2 checkpoints
//
// One Syncer serves one cluster, its home, and writes there alone. It reads all, decides by a pure function, and lets Kafka
// compare and set: a place is taken only if the group is empty and its commit is still the one that was read.
//
// It must never write at a cluster that is not its home, and never take a cluster that can't be read for one without commits.
package groupsync
