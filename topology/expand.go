package topology

import (
	"fmt"
	"slices"
	"strings"
)

func (d *draft) readLink(p *parser, v value) {
	l := linkDraft{Link: Link{Settings: d.link}}
	setDefaults(d.ownLinkFields(&l))
	p.mapping(v, d.linkFields(&l))
	d.expand(p, v, &l)
	if l.Name == "" {
		l.Name = l.defaultName()
	}
	if i := slices.IndexFunc(d.t.Links, func(o Link) bool { return o.Name == l.Name }); i >= 0 && l.Name != "" {
		p.bad(p.at(v.key("name").path), "links[%d] is called %s too", i, short(l.Name)).Hint = "give this one another name"
	}
	d.t.Links = append(d.t.Links, l.Link)
}

// expand makes pairs of what a link says about its clusters.
func (d *draft) expand(p *parser, v value, l *linkDraft) {
	if !p.sound(v.key("between")) || !p.sound(v.key("from")) || !p.sound(v.key("to")) || !d.oneForm(p, v) {
		return
	}
	sources, destinations := l.from.clusters, l.to.clusters
	switch {
	case l.hub != "":
		d.spokes(p, v, l)
		return
	case hasKey(v.node, "between"):
		sources, destinations = l.between.clusters, l.between.clusters
	}
	for _, s := range sources {
		for _, dst := range destinations {
			if s != dst {
				l.Pairs = append(l.Pairs, Pair{s, dst})
			}
		}
	}
	d.claim(p, v, l)
}

// oneForm checks that the link says once which clusters it joins.
func (d *draft) oneForm(p *parser, v value) bool {
	between, from, to := hasKey(v.node, "between"), hasKey(v.node, "from"), hasKey(v.node, "to")
	switch {
	case between && (from || to):
		p.bad(v, "between excludes from and to")
	case from != to:
		p.bad(v, "from and to go together")
	case !between && !from && len(v.node.Content) > 0:
		p.bad(v, "the clusters are missing").Hint = "between: [a, b], or from: [a] and to: [b]"
	default:
		return between || from
	}
	return false
}

func (d *draft) spokes(p *parser, v value, l *linkDraft) {
	hub := Alias(l.hub)
	if slices.Contains(l.spokes.written, l.hub) {
		p.bad(p.at(v.key("between.spokes").path), "the hub %s is among its spokes", l.hub)
		return
	}
	for _, s := range l.spokes.clusters {
		if s != hub {
			l.Pairs = append(l.Pairs, Pair{hub, s}, Pair{s, hub})
		}
	}
	d.claim(p, v, l)
}

// claim refuses pairs that another link has, and those that end in a cluster to which nothing is written.
func (d *draft) claim(p *parser, v value, l *linkDraft) {
	if len(l.Pairs) == 0 && len(d.t.Clusters) > 0 {
		p.bad(v, "joins no two clusters")
		return
	}
	var taken, readOnly []string
	other := ""
	for _, pair := range l.Pairs {
		if path, ok := d.pairs[pair]; ok {
			taken, other = append(taken, pair.String()), path
		} else {
			d.pairs[pair] = v.path
		}
		if dst := string(pair.Destination); d.t.Clusters[pair.Destination].ReadOnly && !slices.Contains(readOnly, dst) {
			readOnly = append(readOnly, dst)
		}
	}
	if len(taken) > 0 {
		l.Pairs = nil // many links of every pair would hold much memory until all is told
		p.bad(v, "%s: the same pair twice", some(taken)).Hint = fmt.Sprintf("%s on line %d has it too", other, p.at(other).node.Line)
	}
	if len(readOnly) > 0 {
		p.bad(v, "ends in %s, which is read_only", some(readOnly)).Hint = "name the pairs with from and to, and leave it out of to"
	}
}

// some is a list that doesn't grow with a mesh.
func some(words []string) string {
	if len(words) <= 3 {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:3], ", "), len(words)-3)
}

func (l *linkDraft) defaultName() string {
	if l.hub != "" {
		return l.hub + "<->" + strings.Join(l.spokes.written, ",")
	}
	if len(l.from.written) > 0 {
		return strings.Join(l.from.written, ",") + "->" + strings.Join(l.to.written, ",")
	}
	return strings.Join(l.between.written, "<->")
}
