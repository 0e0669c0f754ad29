// Package writers provokes on real Kafka each hole through which a writer that was replaced, or a destination that forgets, could make
// records come twice or not at all. A test names the point of the design that it stands for.
//
//	source ══ owner: flow.Manager ── door ──▶ destination      the one that is replaced: its produce requests can be held back
//	       ══ heir:  flow.Manager ──────────▶ destination      the one that takes over
//	verdict: package validate reads both clusters; what the owners say is in their status
//
// Invariants: every wait is for a condition, has a deadline, and says what it saw last; nobody is judged by the time that he took.
package writers
