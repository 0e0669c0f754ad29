// Package sim runs meshes of model clusters against the pure packages: loop decides what enters, checkpoint says where to go on, offsetxlate
// keeps the map. Everything around them is a model: logs, producer ids and their fences, registries, nodes, links, applications.
//
//	seed ──> plan: clusters, graphs, topics, what may happen
//	   │
//	   └───> steps ──> calm ──> quiet ──> what must have arrived
//	           │ applications write and copy headers
//	           │ writers work: claim, fence, resume, choose, read, judge, note, send
//	           │ requests arrive, late or twice
//	           │ nodes die, wake up, believe in old topologies; logs are cut; notes and registries are lost; persons decide
//	           ▼
//	        journals of the logs ──> audit: P1, P2, P3, and what is said
//
// Invariants:
//   - One seed is one run: nothing depends on a clock, a goroutine or the order of a map. Each step has random numbers of its own, so a step can be
//     left out and the others stay what they are; that is how a failure is made short.
//   - A model is never kinder than Kafka: a replaced owner's batches are accepted until the marker is there, an answer may be lost, what was read
//     of another cluster is as old as it was when it was read.
//   - The audit reads logs and notes, never what a writer believes.
//   - A rule that is taken away is found.
//
// It must never decide itself what the pure packages are to decide.
package sim
