package demo

import (
	"fmt"
	"strings"
	"time"
)

const barWidth = 40

// draw is the panel. No line is wider than 79 columns, for one that wraps could not be drawn over.
func (s *screen) draw(x state) []string {
	lines := []string{
		"", s.bar(),
		s.paint(dim, fmt.Sprintf("%-4s%-8s%-17s%7s%5s  %-25s%12s", "", "brokers", "nodes", "written", "/s", "copies here (lag)", "not sent on")),
	}
	for _, site := range x.sites {
		lines = append(lines, s.row(site))
	}
	where := "nowhere"
	if x.group.at != "" {
		where = "in " + string(x.group.at)
	}
	lines = append(lines, fmt.Sprintf("group %s %s: read %s, to read %s, read again %s", s.paint(bold, group), s.paint(bold, where),
		count(x.group.distinct), count(max(0, x.total-x.group.distinct)), count(x.group.again)))
	return append(lines, s.paint(dim, "us-1:32 writes 32 shards of what comes to us"))
}

func (s *screen) bar() string {
	past := time.Since(s.began)
	done := min(barWidth, int(float64(barWidth)*past.Seconds()/max(s.total.Seconds(), 1)))
	return fmt.Sprintf("[%s%s] %.0f s of about %.0f s", strings.Repeat("=", done), strings.Repeat(" ", barWidth-done), past.Seconds(), s.total.Seconds())
}

func (s *screen) row(x site) string {
	state := s.paint(green, pad("up", 8))
	if x.lost {
		state = s.paint(red, pad("silent", 8))
	}
	nodes := make([]string, 0, len(x.nodes))
	for _, n := range x.nodes {
		nodes = append(nodes, n.text())
	}
	var copies []string
	var kept int64
	for _, o := range sorted(x.from) {
		f := x.from[o]
		kept += f.arrived
		copies = append(copies, fmt.Sprintf("%s %s (%s)", o, count(f.arrived), f.lagText()))
	}
	return fmt.Sprintf("%s%s%-17s%7s%5.0f  %-25s%12s", s.paint(bold, pad(string(x.alias), 4)), state, strings.Join(nodes, " "),
		count(x.written), s.rates[string(x.alias)], strings.Join(copies, "  "), count(kept))
}

// text says how many shards a node writes.
func (n nodeState) text() string {
	if !n.alive {
		return n.name + " dead"
	}
	return fmt.Sprintf("%s:%d", n.name, n.shards)
}

func (f stream) lagText() string {
	if f.lag < 0 {
		return "?"
	}
	return count(f.lag)
}

// line is a state on one line, for where there is no terminal.
func (s *screen) line(x state) string {
	var written, lags []string
	rate, kept := 0.0, int64(0)
	for _, site := range x.sites {
		written = append(written, fmt.Sprintf("%s %s", site.alias, count(site.written)))
		rate += s.rates[string(site.alias)]
		for _, o := range sorted(site.from) {
			kept += site.from[o].arrived
			lags = append(lags, fmt.Sprintf("%s->%s %s", o, site.alias, site.from[o].lagText()))
		}
	}
	where := string(x.group.at)
	if where == "" {
		where = "nowhere"
	}
	return fmt.Sprintf("[%s] written %s (%.0f/s), lag %s, not sent on %s, %s in %s: read %s, again %s\n", s.clock(), strings.Join(written, " "), rate,
		strings.Join(lags, " "), count(kept), group, where, count(x.group.distinct), count(x.group.again))
}
