// Package metasync makes the copies of topics exist at a destination, with the partitions and configs of their source, and keeps
// them so while the source grows and changes.
//
//	source metadata, configs ──> plan ──> registry: intent ──> CreateTopics ──> registry: created
//
// Invariants:
//   - A topic is in the registry before it exists, so that a crash leaves none that nobody knows.
//   - A topic that was there before is never written to, unless the registry knows it.
//   - Partitions are only ever added; configs that a person set at the destination alone are left alone.
package metasync
