// Package trace tells the story of one record: where it was first produced, who wrote it where it lies, where else it lies, and by which rule
// each neighbour takes it or leaves it out.
//
//	log at the cluster ──batch, record──> origin: header, map, or the place itself
//	registry of writers ─────────────────> who wrote it
//	maps and progress of all clusters ───> where it lies there, and over whom it came
//	package loop ────────────────────────> the rules: asked as a writer would ask, never retold
//
// It reads and never writes: where a writer puts a barrier into a registry, the end that the leader gives has to do.
package trace
