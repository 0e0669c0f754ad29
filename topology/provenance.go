package topology

import (
	"fmt"
	"slices"
	"strings"
)

// checkProvenances refuses a provenance that is the nearest of nothing with identity naming, for it would do nothing.
func (d *draft) checkProvenances(p *parser) {
	if slices.ContainsFunc(p.problems, func(q Problem) bool { return strings.HasSuffix(q.Path, ".naming") }) {
		return // what is meant is not known
	}
	used := map[string]bool{}
	use := func(s LinkSettings, places ...string) {
		nearest := slices.IndexFunc(places, func(place string) bool { return p.where[join(place, "provenance")] != nil })
		if nearest >= 0 && s.Naming == Identity {
			used[join(places[nearest], "provenance")] = true
		}
	}
	for i, l := range d.t.Links {
		link := fmt.Sprintf("links[%d]", i)
		use(l.Settings, link, "defaults.link")
		for k, r := range l.Topics.Rules {
			use(r.Settings, fmt.Sprintf("%s.topics.rules[%d]", link, k), link, "defaults.link")
		}
	}
	for _, v := range p.provenances {
		if !used[v.path] && p.sound(v) {
			p.bad(v, "does nothing without naming: identity").Hint = "set that here too, or leave this out"
		}
	}
}
