package loop

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"github.com/meshd/meshd/topology"
)

// Picture is a survey with the graph that it was made of.
type Picture struct {
	Survey Survey
	Graph  Graph
}

// Measures of a picture, in pixels.
const (
	nodeRadius = 34
	minRing    = 140 // radius of the circle on which clusters stand
	ringShare  = 32  // of that radius, for each cluster
	margin     = 50
	headHeight = 84
	footHeight = 40
	minWidth   = 500
	bow        = 0.16 // how far a link's line is bent, of its length
	labelAt    = 0.6  // where its label stands, from source to destination
	lineHeight = 20
)

// SVG draws surveys below each other: clusters on a circle, each link as a line with the origins that are taken over it. Single points of
// failure are red; links over which nothing is taken now are dashed.
func SVG(pictures ...Picture) string {
	var body strings.Builder
	width, top := float64(minWidth), 0.0
	for _, p := range pictures {
		width = max(width, 2*(p.ring()+margin))
	}
	for _, p := range pictures {
		height := p.height()
		fmt.Fprintf(&body, "<g transform=\"translate(0 %s)\">\n", px(top))
		p.draw(&body, width, height)
		body.WriteString("</g>\n")
		top += height
	}
	head := fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%[1]s\" height=\"%[2]s\" viewBox=\"0 0 %[1]s %[2]s\">\n", px(width), px(top))
	return head + svgStyle + markers() + body.String() + "</svg>\n"
}

func (p Picture) ring() float64 { return max(minRing, float64(ringShare*len(p.Survey.Clusters))) }

func (p Picture) height() float64 {
	return headHeight + 2*(p.ring()+margin) + footHeight
}

func (p Picture) draw(b *strings.Builder, width, height float64) {
	fmt.Fprintf(b, "<rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"%s\" height=\"%s\" rx=\"10\"/>\n", px(width-1), px(height-1))
	y := 32.0
	for _, line := range p.notes() {
		fmt.Fprintf(b, "<text class=%q x=\"24\" y=\"%s\">%s</text>\n", line.class, px(y), html.EscapeString(line.text))
		y += lineHeight
	}
	at := p.places(point{width / 2, headHeight + margin + p.ring()})
	for _, e := range p.Graph {
		p.drawLink(b, e, at[e.Source], at[e.Destination])
	}
	for _, c := range p.Survey.Clusters {
		class := "node"
		if p.Survey.isSingle(Loss{Cluster: c}) {
			class += " single"
		}
		fmt.Fprintf(b, "<g class=%q><title>%s</title><circle cx=\"%s\" cy=\"%s\" r=\"%d\"/><text x=\"%[3]s\" y=\"%[4]s\">%[6]s</text></g>\n",
			class, c, px(at[c].x), px(at[c].y), nodeRadius, brief(string(c), 8))
	}
	fmt.Fprintf(b, "<text class=\"note\" x=\"24\" y=\"%s\">dashed: nothing is taken now; red: a single point of failure</text>\n", px(height-18))
}

type note struct{ class, text string }

// notes is what stands above the drawing, on three lines at most.
func (p Picture) notes() []note {
	s := p.Survey
	out := []note{{"title", brief(s.Topic, 30) + " (" + s.naming() + ")"}}
	if len(s.Refused) > 0 {
		out = append(out, note{"refused", "refused: " + s.Refused[0].Code})
	}
	reads, needs := s.Volumes()
	text := fmt.Sprintf("%s read, %d needed", counted(reads, "volume"), needs)
	if len(s.Unheard) > 0 {
		text += fmt.Sprintf("; %s never hears of %s", s.Unheard[0].Cluster, s.Unheard[0].Origin)
		if more := len(s.Unheard) - 1; more > 0 {
			text += fmt.Sprintf(", and %d more", more)
		}
	}
	out = append(out, note{"note", text})
	if len(out) < 3 {
		out = append(out, note{"note", brief(s.singlePoints(), 60)})
	}
	return out
}

func (p Picture) drawLink(b *strings.Builder, e Edge, from, to point) {
	class, label := "link", p.label(e)
	switch {
	case label == "" || e.Paused:
		class += " spare"
	case p.Survey.isSingle(Loss{Link: &e.Pair}):
		class += " single"
	}
	if e.Paused {
		label = strings.TrimPrefix(label+", paused", ", ")
	}
	mid := from.middle(to)
	across := to.minus(from)
	control := point{mid.x - bow*across.y, mid.y + bow*across.x}
	start, end := from.toward(control, nodeRadius+1), to.toward(control, nodeRadius+4)
	fmt.Fprintf(b, "<g class=%q><title>%s, link %s, cost %d, reads %s</title><path d=\"M%s %sQ%s %s %s %s\"/>", class, html.EscapeString(e.String()), html.EscapeString(e.Link), e.Cost, counted(p.fetch(e).Reads, "volume"),
		px(start.x), px(start.y), px(control.x), px(control.y), px(end.x), px(end.y))
	if label != "" {
		at := bend(start, control, end, labelAt)
		fmt.Fprintf(b, "<text x=\"%s\" y=\"%s\">%s</text>", px(at.x), px(at.y), html.EscapeString(label))
	}
	b.WriteString("</g>\n")
}

// label names the origins that are taken over a link.
func (p Picture) label(e Edge) string {
	takes := p.fetch(e).Takes
	text := path(takes, ", ")
	if len(takes) > 3 || len(text) > 24 {
		text = fmt.Sprintf("%d origins", len(takes))
	}
	return text
}

func (p Picture) fetch(e Edge) Fetch {
	i := slices.IndexFunc(p.Survey.Fetches, func(f Fetch) bool { return f.Pair == e.Pair })
	if i < 0 {
		return Fetch{}
	}
	return p.Survey.Fetches[i]
}

// places puts clusters on a circle, the first on top, clockwise; and the hub of three or more into its middle.
func (p Picture) places(center point) map[topology.Alias]point {
	out, ring := map[topology.Alias]point{}, slices.Clone(p.Survey.Clusters)
	hub := slices.IndexFunc(ring, func(c topology.Alias) bool {
		return !slices.ContainsFunc(p.Graph, func(e Edge) bool { return e.Source != c && e.Destination != c })
	})
	if hub >= 0 && len(ring) > 3 {
		out[ring[hub]] = center
		ring = slices.Delete(ring, hub, hub+1)
	}
	for i, c := range ring {
		turn := 2 * math.Pi * float64(i) / float64(len(ring))
		out[c] = point{center.x + p.ring()*math.Sin(turn), center.y - p.ring()*math.Cos(turn)}
	}
	return out
}
