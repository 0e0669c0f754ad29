// Package integration tests what meshd promises, on two backends (MESHD_TEST_KAFKA=kfake, the default, or real): meshd's own
// binary as a process, Kafka clusters of package kafkatest, topologies in files.
//
//	test ── mesh (topology.yaml) ──▶ node: a meshd process ──┐
//	  │                                                      │ kill -9, SIGSTOP, SIGTERM
//	  ├── load ──▶ source cluster ══ meshd ══▶ destination cluster
//	  └── same: reads both logs to their ends and has package validate compare them
//
// Invariants: a test looks at Kafka, at what the process says and at its exit code, never into it; every wait is for a condition,
// has a deadline, and says what it saw last; no process outlives the test.
//
// It must never import the code under test.
package integration
