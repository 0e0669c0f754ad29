// Package validate decides whether promises were kept, from nothing but what is in the clusters: it reads both sides with a plain
// client and compares.
//
//	source topic, committed records ──▶ fingerprints ──┐
//	                                                   ├── a partition at a time, in lockstep ──▶ Report
//	destination topic, all records  ──▶ fingerprints ──┘
//
//	                   prefix naming                                      identity naming
//	P1 no loops        Topics: no name that says that a topic went round   Shared: nothing is back home
//	P2 exactly once    Copy: nothing lost, duplicated, out of order,       Shared: the same, for each origin among the records
//	                   unexpected                                          of all, and each says rightly where it comes from
//	P3 bytes           Copy: key, value, headers, timestamp and partition  Shared: the same, but for the header that says so
//	                   as they left
//
// Invariants: a report without problems means that the sequences are equal; each record counts in one kind of problem; memory does
// not grow with the topic.
//
// It must never import the code under test, and never repair or forgive: the destination is read uncommitted, for consumers that
// are not read_committed are promised the same.
package validate
