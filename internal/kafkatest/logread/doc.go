// Package logread reads partitions from a first offset to a last one, and ends: what a test needs to know is what is in a log, and a
// consumer never says that it has seen all of it, for the end may be a transaction's marker or an aborted record.
//
//	Bounds ── start and end of each partition ──▶ Reader ── Next, Next, ... io.EOF ──▶ records
//	                                                 │
//	                         one Fetch at a time, decoded by kgo.ProcessFetchPartition
//
// Invariants: records come in the order of their offsets, each once; io.EOF comes after every record below the end was returned.
//
// It must never import the code under test: validators stand on it.
package logread
