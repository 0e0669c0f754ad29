// Package validate decides whether promises were kept, from nothing but what is in the clusters: it reads both sides with a plain
// client and compares.
//
//	source topic, committed records ──▶ fingerprints ──┐
//	                                                   ├── a partition at a time, in lockstep ──▶ Report
//	destination topic, all records  ──▶ fingerprints ──┘
//
//	P1 no loops        Topics: no name that says that a topic went round
//	P2 exactly once    Copy: nothing lost, duplicated, out of order, unexpected
//	P3 bytes           Copy: key, value, headers, timestamp and partition as they left
//
// Invariants: a report without problems means that the sequences are equal; each record counts in one kind of problem; memory does
// not grow with the topic.
//
// It must never import the code under test, and never repair or forgive: the destination is read uncommitted, for consumers that
// are not read_committed are promised the same.
package validate
