// Package chaos breaks everything around meshd, on purpose and in a known order, and then has package validate decide whether the
// promises were kept: real processes of the binary, real brokers, a network that is cut.
//
//	seed ──▶ schedule of faults ──▶ arena ──▶ load ends, the copy catches up ──▶ validate ──▶ report
//
//	            ┌────────────── arena ───────────────────────────────────────────────┐
//	 load ──▶   │ us: one broker ◀── wire ──▶ eu-1, eu-2, us-1 ◀── wire ──▶ eu: three │  ◀── load
//	            └────────────────────────────────────────────────────────────────────┘
//
// With identity naming the arenas are three clusters of one broker in a full mesh, and a hub with three spokes; all of them are written to.
//
// Chaos finds what nobody thought of; scenarios show what was thought of: each is one of the holes that a writer has to close, made to
// happen by holding single requests back, and has a mutation of the code that opens the hole again. The scenario must pass with the
// code as it is, and validate must fail it with the mutation. So validators that can't fail, and scenarios that test nothing, are found.
//
//	make chaos
//	make chaos CHAOS='-test.run TestChaos -seeds 1 -seed 7'
//	make chaos CHAOS='-test.run TestShared/hub -seeds 1 -seed 7'
//	make chaos CHAOS='-test.run TestMutations'
//
// Invariants: a seed is one schedule; what a seed did is in its report; a fault that the machine doesn't permit is reported, not
// skipped; nothing outlives the run but a mounted tmpfs, where the run itself was killed.
//
// It must never look into a node: only Kafka says what was copied.
package chaos
