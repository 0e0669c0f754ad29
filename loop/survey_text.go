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
	fmt.Fprintf(&b, "%s (%s): %d clusters, each record once at each\n", s.Topic, s.naming(), len(s.Clusters))
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
		fmt.Fprintf(&b, "  %s\n", u)
	}
	s.writeFetches(&b)
	for _, l := range s.Losses {
		l.write(&b)
	}
	fmt.Fprintf(&b, "  %s\n", s.singlePoints())
	return b.String()
}

func (s Survey) naming() string {
	switch {
	case s.Naming == "":
		return "refused"
	case s.Batch:
		return string(s.Naming) + ", provenance batch"
	}
	return string(s.Naming)
}

func (s Survey) singlePoints() string {
	if len(s.Single) == 0 {
		return "no single point of failure"
	}
	return "single points of failure: " + strings.Join(s.Single, ", ")
}

func (u Unheard) String() string {
	return fmt.Sprintf("%s never hears of %s: its records reach %s, and no link leads from there to %s", u.Cluster, u.Origin, path(u.Reached, ", "), u.Cluster)
}

func (s Survey) writeFetches(b *strings.Builder) {
	for _, f := range s.Fetches {
		fmt.Fprintf(b, "  %s reads %s for %s\n", f.Pair, counted(f.Reads, "volume"), path(f.Takes, ", "))
	}
	if reads, needs := s.Volumes(); reads > 0 {
		fmt.Fprintf(b, "  in all %s read, %d needed (a volume is what one cluster produces)\n", counted(reads, "volume"), needs)
	}
}

func counted(n int, of string) string {
	if n != 1 {
		of += "s"
	}
	return fmt.Sprintf("%d %s", n, of)
}

func (l Loss) write(b *strings.Builder) {
	var parts []string
	if l.Single() {
		parts = append(parts, "a single point of failure")
	}
	for _, p := range l.Cut {
		parts = append(parts, fmt.Sprintf("%s never hears of %s", p.Destination, p.Source))
	}
	for _, t := range l.Moved {
		parts = append(parts, fmt.Sprintf("%s takes %s from %s", t.Cluster, t.Origin, t.Source))
	}
	if len(l.Holders) > 0 {
		parts = append(parts, "what was had of it goes on over "+counted(len(l.Holders), "link"))
	}
	if !l.Single() && len(l.Moved) == 0 {
		parts = append(parts, "nothing else changes")
	}
	fmt.Fprintf(b, "  without %s: %s\n", l.What(), strings.Join(parts, "; "))
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
		fmt.Fprintf(&b, "  %q%s;\n", c, red(s.isSingle(Loss{Cluster: c}), ""))
	}
	for _, e := range g {
		style := "style=dashed"
		if i := slices.IndexFunc(s.Fetches, func(f Fetch) bool { return f.Pair == e.Pair }); i >= 0 {
			style = fmt.Sprintf("label=%q", path(s.Fetches[i].Takes, ", "))
		}
		fmt.Fprintf(&b, "  %q -> %q%s;\n", e.Source, e.Destination, red(s.isSingle(Loss{Link: &e.Pair}), style))
	}
	b.WriteString("}\n")
	return b.String()
}

// isSingle says whether the loss of a cluster or a link cuts others off.
func (s Survey) isSingle(x Loss) bool {
	return slices.ContainsFunc(s.Losses, func(l Loss) bool {
		same := x.Link == nil && l.Link == nil && l.Cluster == x.Cluster
		if x.Link != nil && l.Link != nil {
			same = Edge{Pair: *l.Link}.joins(Edge{Pair: *x.Link})
		}
		return same && l.Single()
	})
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
