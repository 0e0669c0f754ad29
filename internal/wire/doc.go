// Package wire stands between the clients of Kafka brokers and the brokers, and is the network that tests and benchmarks break:
//
//	client ──▶ front ──(delay, fault, hold)──▶ broker
//	       ◀──────────(delay, fault)─────────
//
// A fault strikes the connections of one client, by the id that it gives itself. A hold keeps back single requests, so that a test
// chooses when they arrive.
//
// Invariants: what is forwarded is forwarded as it came, in its order; Close returns when nothing of the network runs.
//
// It must never know what a request asks for: whoever holds one back looks into it.
package wire
