package loop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshd/meshd/topology"
)

// Text is a survey for people.
func (s Survey) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %d clusters, each record once at each\n", s.Topic, either(s.Naming, "refused"), len(s.Clusters))
	for _, f := range s.Refused {
		fmt.Fprintf(&b, "  refused: %s\n", f.Text)
	}
	for _, t := range s.Takes {
		fmt.Fprintf(&b, "  %s takes %s from %s: %s, cost %d", t.Cluster, t.Origin, t.Source, path(t.Path, " > "), t.Cost)
		if len(t.Instead) > 0 {
			fmt.Fprintf(&b, "; else from %s", path(t.Instead, ", "))
		}
		b.WriteString("\n")
	}
	for _, u := range s.Unheard {
		fmt.Fprintf(&b, "  %s never hears of %s: its records reach %s, and no link leads from there to %s\n", u.Cluster, u.Origin, path(u.Reached, ", "), u.Cluster)
	}
	s.writeFetches(&b)
	for _, l := range s.Losses {
		l.write(&b)
	}
	return b.String()
}

func (s Survey) writeFetches(b *strings.Builder) {
	reads, needs := 0, 0
	for _, f := range s.Fetches {
		fmt.Fprintf(b, "  %s reads %d volumes for %s\n", f.Pair, f.Reads, path(f.Takes, ", "))
		reads, needs = reads+f.Reads, needs+len(f.Takes)
	}
	if reads > 0 {
		fmt.Fprintf(b, "  in all %d volumes are read, %d are needed (a volume is what one cluster produces)\n", reads, needs)
	}
}

func (l Loss) write(b *strings.Builder) {
	what := "link"
	if l.Link != nil {
		what += " " + string(l.Link.Source) + " - " + string(l.Link.Destination)
	} else {
		what = "cluster " + string(l.Cluster)
	}
	fmt.Fprintf(b, "  without %s:", what)
	if l.Single() {
		b.WriteString(" a single point of failure;")
	}
	for _, p := range l.Cut {
		fmt.Fprintf(b, " %s never hears of %s;", p.Destination, p.Source)
	}
	for _, t := range l.Moved {
		fmt.Fprintf(b, " %s takes %s from %s;", t.Cluster, t.Origin, t.Source)
	}
	if len(l.Holders) > 0 {
		fmt.Fprintf(b, " what was had of it goes on over %d links;", len(l.Holders))
	}
	if !l.Single() && len(l.Moved) == 0 {
		b.WriteString(" nothing else changes;")
	}
	b.WriteString("\n")
}

func either(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func path(as []topology.Alias, sep string) string {
	words := make([]string, len(as))
	for i, a := range as {
		words[i] = string(a)
	}
	return strings.Join(words, sep)
}

// DOT is a survey as a picture, in Graphviz's language: links that are a source of something with the origins that are taken, others
// dashed, single points of failure red.
func (s Survey) DOT(g Graph) string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n", s.Topic)
	for _, c := range s.Clusters {
		fmt.Fprintf(&b, "  %q%s;\n", c, red(s.single(func(l Loss) bool { return l.Cluster == c }), ""))
	}
	for _, e := range g {
		style := "style=dashed"
		if i := slices.IndexFunc(s.Fetches, func(f Fetch) bool { return f.Pair == e.Pair }); i >= 0 {
			style = fmt.Sprintf("label=%q", path(s.Fetches[i].Takes, ", "))
		}
		lost := s.single(func(l Loss) bool {
			return l.Link != nil && e.joins(Edge{Pair: *l.Link})
		})
		fmt.Fprintf(&b, "  %q -> %q%s;\n", e.Source, e.Destination, red(lost, style))
	}
	b.WriteString("}\n")
	return b.String()
}

func (s Survey) single(is func(Loss) bool) bool {
	return slices.ContainsFunc(s.Losses, func(l Loss) bool { return is(l) && l.Single() })
}

func red(yes bool, style string) string {
	switch {
	case yes && style != "":
		style += " color=red"
	case yes:
		style = "color=red"
	case style == "":
		return ""
	}
	return " [" + style + "]"
}
