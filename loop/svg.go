package loop

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

const svgStyle = `<style>
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1f2d3d; }
.title { font-size: 18px; font-weight: 600; }
.note { font-size: 12.5px; fill: #52616f; }
.refused { font-size: 13px; fill: #c0392b; }
.card { fill: #ffffff; stroke: #d8dfe6; }
.node circle { fill: #eef4fb; stroke: #2f5d8a; stroke-width: 2; }
.node text { font-size: 14px; font-weight: 600; text-anchor: middle; dominant-baseline: central; }
.node.single circle { fill: #fdf1ef; stroke: #c0392b; stroke-width: 3; }
.link path { fill: none; stroke: #2f5d8a; stroke-width: 1.8; marker-end: url(#taken); }
.link text { font-size: 12px; text-anchor: middle; dominant-baseline: central; paint-order: stroke; stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round; }
.link.spare path { stroke: #a9b4bf; stroke-dasharray: 5 4; marker-end: url(#spare); }
.link.spare text { fill: #7c8894; }
.link.single path { stroke: #c0392b; marker-end: url(#single); }
</style>
`

func markers() string {
	var b strings.Builder
	b.WriteString("<defs>\n")
	for _, m := range []struct{ id, color string }{{"taken", "#2f5d8a"}, {"spare", "#a9b4bf"}, {"single", "#c0392b"}} {
		fmt.Fprintf(&b, "<marker id=%q viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L10 5L0 10z\" fill=%q/></marker>\n", m.id, m.color)
	}
	b.WriteString("</defs>\n")
	return b.String()
}

// point is a place in a picture.
type point struct{ x, y float64 }

func (p point) minus(o point) point  { return point{p.x - o.x, p.y - o.y} }
func (p point) middle(o point) point { return point{(p.x + o.x) / 2, (p.y + o.y) / 2} }

// toward is so far from p on the way to another point.
func (p point) toward(o point, far float64) point {
	d := o.minus(p)
	share := far / cmp.Or(math.Hypot(d.x, d.y), 1)
	return point{p.x + share*d.x, p.y + share*d.y}
}

// bend is a point of a quadratic Bézier curve.
func bend(start, control, end point, t float64) point {
	a, b, c := (1-t)*(1-t), 2*t*(1-t), t*t
	return point{a*start.x + b*control.x + c*end.x, a*start.y + b*control.y + c*end.y}
}

// px writes a length with one decimal, so that pictures do not depend on the last bits of a machine's sines.
func px(v float64) string {
	return fmt.Sprintf("%g", math.Round(v*10)/10+0)
}

// brief cuts a name that would not fit.
func brief(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
