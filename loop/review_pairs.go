package loop

import (
	"slices"

	"github.com/meshd/meshd/topology"
)

// compare looks at two links at a time, where all together are too much: that is less work, and two links are enough for a refusal.
func (v *reviewer) compare() {
	kinds := make([][]topology.LinkSettings, len(v.t.Links))
	for i := range v.t.Links {
		kinds[i] = kindsOf(&v.t.Links[i])
	}
	n := &names{left: maxWork}
	for i := range v.t.Links {
		for k := i; k < len(v.t.Links) && n.left > 0; k++ {
			a, b := &v.t.Links[i], &v.t.Links[k]
			bad := clash(a, b)
			possible := slices.ContainsFunc(kinds[i], func(x topology.LinkSettings) bool {
				return slices.ContainsFunc(kinds[k], func(y topology.LinkSettings) bool { return bad(x, y) })
			})
			if !possible {
				continue
			}
			if topic, found, _ := n.overlap(a, b, bad); found {
				v.look(topic)
			}
		}
	}
}

// clash is what two links can't make of one topic.
func clash(a, b *topology.Link) func(a, b topology.LinkSettings) bool {
	return func(x, y topology.LinkSettings) bool {
		p, q := ProvenanceOf(x), ProvenanceOf(y)
		return x.Naming != y.Naming || p != q || p == Batches && joined(a, b) > 2
	}
}

// joined counts the clusters that links join.
func joined(links ...*topology.Link) int {
	seen := map[topology.Alias]bool{}
	for _, l := range links {
		for _, p := range l.Pairs {
			seen[p.Source], seen[p.Destination] = true, true
		}
	}
	return len(seen)
}

// kindsOf are the namings and provenances that a link gives to topics, each once.
func kindsOf(l *topology.Link) (out []topology.LinkSettings) {
	add := func(s topology.LinkSettings) {
		s = topology.LinkSettings{Naming: s.Naming, Provenance: s.Provenance}
		if !slices.ContainsFunc(out, func(o topology.LinkSettings) bool { return o.Naming == s.Naming && o.Provenance == s.Provenance }) {
			out = append(out, s)
		}
	}
	add(l.Settings)
	for _, r := range l.Topics.Rules {
		add(r.Settings)
	}
	return out
}
