package loop

import (
	"fmt"
	"slices"
)

// refusals says what can't be accepted of a graph.
func (g Graph) refusals(topic string) (out []Finding) {
	for _, e := range g {
		first := g[0]
		if e.Naming != first.Naming {
			out = append(out, Finding{"two_namings", fmt.Sprintf("topic %s has naming %s over %s (link %s) and %s over %s (link %s): a topic has one in the whole mesh",
				topic, first.Naming, first.Pair, first.Link, e.Naming, e.Pair, e.Link)})
			break
		}
	}
	batch := slices.IndexFunc(g, func(e Edge) bool { return e.Provenance == Batches })
	if batch < 0 {
		return out
	}
	b := g[batch]
	for _, e := range g {
		third := e.Source
		if third == b.Source || third == b.Destination {
			third = e.Destination
		}
		switch {
		case third != b.Source && third != b.Destination:
			return append(out, Finding{"batch_third_cluster", fmt.Sprintf("topic %s has provenance batch over %s (link %s), and a third cluster, %s, carries it: %s, %s (link %s)",
				topic, b.Pair, b.Link, third, b.Pair, e.Pair, e.Link)})
		case e.Provenance != Batches:
			return append(out, Finding{"two_provenances", fmt.Sprintf("topic %s has provenance batch over %s (link %s) and headers over %s (link %s)",
				topic, b.Pair, b.Link, e.Pair, e.Link)})
		}
	}
	return out
}
