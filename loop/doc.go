// Package loop decides what may enter a cluster. It is pure: names, registries and batches in, verdicts out.
//
//	topic name ──Classify──> Local ──> replicated: prefix, as <cluster>.<name>; identity, under its own name
//	   │                     Remote ─> prefix: stays where it is, it came from elsewhere
//	   │                     Unclaimed > neither replicated nor written, until a person decides
//	   └ registry of topics  Internal > never touched
//
//	identity naming, one origin partition on its way into a cluster:
//
//	   neighbours' frontiers, gaps ──Choose──> the one source
//	                                             │
//	                                             ▼
//	   batch ──Judge.Batch──> Deliver | Suppress | Records | Wait | Stop
//	              │ Writers      (own, seen, other source)  │
//	              │ (registry)                              ▼
//	              │            record ──Judge.Record──> Deliver | Stamp (a fresh header) | Suppress | Wait | Stop
//	              │                        │ header, the source's Map
//	              └──── Frontiers: (incarnation, leader epoch, offset) of each origin, and gaps ──Advance
//
//	a topology, before anything runs:
//
//	   links ──Examples──> a topic of each kind ──Carriers──> its graph ──SurveyTopic──> sources, volumes, losses ──> Text, DOT, SVG
//	     │ Overlap: of two links                                  └─────ReviewTopology──> what is refused, what is only said
//	     └─Advise──> what identity naming costs
//
// Invariants:
//   - A name alone proves nothing: only the registry of the cluster that holds a topic says that meshd made it.
//   - A header alone proves nothing: it counts in a batch of a registered writer only. Who is not registered is known behind a barrier.
//   - What enters is above the frontier of its origin, whatever anyone believes of links; a cluster's own frontier at home is infinite.
//   - A frontier rises by a record that entered, or by a fact of the origin's own log; never by what was left out.
//   - A source's gaps count as they were read when a record of it had been fetched: older notes may lack the one before it.
//   - What a source has passed is passed here, once all is judged that its log held when it said so: nobody waits for what never was.
//   - Choose can't harm: any choice keeps order and no choice makes a second copy. It is there so that all that can be had is had.
//   - What can't be known is said, and is never copied on a guess.
//
// A frontier is one writer's, and the writer is one because Kafka fences the others: with two, each would find the record new. It must never
// take a topology, a link's state or a clock as proof of where a record came from.
package loop
