// Package loop decides what may enter a cluster. It is pure: names, registries and batches in, verdicts out.
//
//	topic name ──Classify──> Local ──> replicated, as <cluster>.<name>
//	   │                     Remote ─> stays where it is: it came from elsewhere
//	   │                     Unclaimed > neither replicated nor written, until a person decides
//	   └ registry of topics  Internal > never touched
//
// Invariants:
//   - A name alone proves nothing: only the registry of the cluster that holds a topic says that meshd made it.
//   - What can't be known is said, and is never copied on a guess.
package loop
