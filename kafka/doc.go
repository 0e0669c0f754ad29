// Package kafka is the one place where Kafka clients are built, and where a library's errors become meshd's few classes.
//
//	topology.Endpoint + secrets ── Dial ──> *Cluster (kgo client, admin helpers, identity)
//	error from kgo, kadm, kmsg  ── Classify ──> Class + hint
//
// It must never decide what is copied where, and never retry for ever: a caller owns the loop.
package kafka
