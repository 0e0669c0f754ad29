package loop

import (
	"fmt"
	"slices"
)

// Codes of findings.
const (
	twoNamings     = "two_namings"
	thirdCluster   = "batch_third_cluster"
	twoProvenances = "two_provenances"
)

// refusals says what can't be accepted of a graph.
func (g Graph) refusals(topic string) (out []Finding) {
	told := map[string]bool{}
	for _, e := range g {
		first := g[0]
		if e.Naming != first.Naming && !told[e.Link] {
			told[e.Link] = true
			out = append(out, Finding{twoNamings, fmt.Sprintf("topic %s has naming %s over %s (link %s) and %s over %s (link %s): a topic has one in the whole mesh",
				topic, first.Naming, first.Pair, first.Link, e.Naming, e.Pair, e.Link), [2]string{first.Link, e.Link}})
		}
	}
	return append(out, g.batchRefusals(topic)...)
}

// batchRefusals says why a topic can't have provenance batch, if it has.
func (g Graph) batchRefusals(topic string) []Finding {
	batch := slices.IndexFunc(g, func(e Edge) bool { return e.Provenance == Batches })
	if batch < 0 {
		return nil
	}
	b := g[batch]
	for _, e := range g {
		if e.Naming != b.Naming {
			continue // refused for that already
		}
		third := e.Source
		if third == b.Source || third == b.Destination {
			third = e.Destination
		}
		switch {
		case third != b.Source && third != b.Destination:
			return []Finding{{thirdCluster, fmt.Sprintf("topic %s has provenance batch over %s (link %s), and a third cluster, %s, carries it: %s, %s (link %s)",
				topic, b.Pair, b.Link, third, b.Pair, e.Pair, e.Link), [2]string{e.Link, b.Link}}}
		case e.Provenance != Batches:
			return []Finding{{twoProvenances, fmt.Sprintf("topic %s has provenance batch over %s (link %s) and headers over %s (link %s)",
				topic, b.Pair, b.Link, e.Pair, e.Link), [2]string{b.Link, e.Link}}}
		}
	}
	return nil
}
