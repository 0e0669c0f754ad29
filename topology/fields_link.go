package topology

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// linkDraft is a link whose pairs are not expanded yet.
type linkDraft struct {
	Link
	between, spokes, from, to aliasList
	hub                       string
}

// aliasList is clusters as they were written, and as '*' expands.
type aliasList struct {
	written  []string
	clusters []Alias
}

// linkFields begins with the settings, for the rules inherit them.
func (d *draft) linkFields(l *linkDraft) []field {
	return append(settingFields(&l.Settings), d.ownLinkFields(l)...)
}

func (d *draft) ownLinkFields(l *linkDraft) []field {
	hubFields := []field{
		text("hub", "alias", &l.hub, d.knownAlias).must(),
		d.aliasesField("spokes", &l.spokes).must(),
	}
	return []field{
		text("name", "name", &l.Name, linkRule).or("from its clusters, as us<->eu"),
		{key: "between", kind: "list of aliases, or hub and spokes", derived: "none", sub: hubFields, join: ".", read: func(p *parser, v value) {
			if v.node.Kind == yaml.MappingNode {
				p.mapping(v, hubFields)
				return
			}
			l.between = d.readAliases(p, v)
		}},
		d.aliasesField("from", &l.from).or("none"),
		d.aliasesField("to", &l.to).or("none"),
		integer("cost", "a whole number from 1", "1", &l.Cost, 1, 1_000_000),
		group("topics",
			patterns("include", `[".*"]`, &l.Topics.Include),
			patterns("exclude", "[]", &l.Topics.Exclude),
			list("rules", ruleFields(new(TopicRule))[:1], maxRules, func(p *parser, v value) {
				r := TopicRule{Settings: l.Settings}
				p.mapping(v, ruleFields(&r))
				if at := v.key("mm2.heartbeats").path; p.where[at] != nil {
					p.bad(p.at(at), "belongs to the link, not to a topic")
				}
				l.Topics.Rules = append(l.Topics.Rules, r)
			})),
		group("groups",
			patterns("include", `[".*"]`, &l.Groups.Include),
			patterns("exclude", "[]", &l.Groups.Exclude),
			oneOf("uncommitted", "start", &l.Groups.Uncommitted, []string{"start", "leave"})),
		boolean("paused", "false", &l.Paused),
	}
}

func ruleFields(r *TopicRule) []field {
	match := field{key: "match", kind: "RE2", required: true, read: func(p *parser, v value) {
		r.Match = p.pattern(v)
	}}
	return append([]field{match}, settingFields(&r.Settings)...)
}

func patterns(key, def string, at *[]Pattern) field {
	return field{key: key, kind: "list of RE2", def: def, read: func(p *parser, v value) {
		*at = []Pattern{}
		if key == "include" && v.node.Kind == yaml.SequenceNode && len(v.node.Content) == 0 {
			p.bad(v, "is empty")
		}
		for _, item := range p.items(v) {
			*at = append(*at, p.pattern(item))
		}
	}}
}

// pattern compiles an expression, as long as all of them together stay within what a topology may cost.
func (p *parser) pattern(v value) Pattern {
	expr, ok := p.text(v)
	if !ok {
		return Pattern{}
	}
	tree, err := parsePattern(expr)
	if err != nil {
		p.bad(v, "%s", err)
		return Pattern{}
	}
	if p.cost += cost(tree); p.cost > maxPatternCost {
		p.bad(v, "the expressions up to here are too large together").Hint = "x{1000} counts a thousand times"
		return Pattern{}
	}
	pattern, err := NewPattern(expr)
	if err != nil {
		p.bad(v, "%s", err)
	}
	return pattern
}

func (d *draft) aliasesField(key string, at *aliasList) field {
	return field{key: key, kind: "list of aliases", read: func(p *parser, v value) { *at = d.readAliases(p, v) }}
}

func (d *draft) readAliases(p *parser, v value) aliasList {
	l := aliasList{written: p.texts(v, func(s string) string {
		if s == "*" {
			return ""
		}
		return d.knownAlias(s)
	})}
	if slices.Contains(l.written, "*") {
		if len(l.written) > 1 {
			p.bad(v, "'*' is every cluster").Hint = "leave the others out"
		}
		l.clusters = slices.Clone(d.aliases)
		return l
	}
	for _, s := range l.written {
		l.clusters = append(l.clusters, Alias(s))
	}
	return l
}

// knownAlias is a rule.
func (d *draft) knownAlias(s string) string {
	if _, ok := d.t.Clusters[Alias(s)]; ok || len(d.t.Clusters) == 0 {
		return ""
	}
	known := make([]string, len(d.aliases))
	for i, a := range d.aliases {
		known[i] = string(a)
	}
	msg := fmt.Sprintf("%q is no cluster", short(s))
	if hint := didYouMean(s, known); hint != "" {
		msg += "; " + hint
	}
	return msg
}
