// Package topology reads topology.yaml, the one file that says what is replicated where, and by whom.
//
//	bytes ── document ──> nodes ── fields ──> draft ── validate ──> *Topology ──> Pairs, Link.Topic, Link.Group
//	           │                     │                    │             │
//	           └──── Problems: all at once, with file:line:column ─┘    └──> Stamp, Encode, Diff, Warnings
//
// Each key is stated once, in a table of fields: its name, its type, its default and how it is read. The tables are the parser and the
// reference of docs/CONFIGURATION.md is tested against them.
//
// Invariants:
//   - A topology is accepted whole or not at all, and doesn't change once it is parsed.
//   - No key is ignored: one that is unknown, or that does nothing yet, is refused.
//   - The hash depends on what the file says, not on comments, layout or the order of keys, nor on the defaults of a release: nodes of
//     two releases agree on it.
//   - Whatever the input, the parser ends with problems and not with a panic, and its memory is bounded by constants.
//
// It must never look at a clock, a file or the network, and never guess what a key was meant to say.
package topology
