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
		s.paint(dim, fmt.Sprintf("%-4s%-8s%-17s%9s  %s", "", "brokers", "nodes:parts", "written", "copies of the others' records (lag)")),
	}
	for _, site := range x.sites {
		lines = append(lines, s.row(site))
	}
	return append(lines,
		fmt.Sprintf("written %.0f/s   copies %s: %s", s.rate, s.kept, count(x.kept())),
		fmt.Sprintf("group %s %s: read %s, to read %s, read again %s", s.paint(bold, group), s.paint(bold, x.group.where()),
			count(x.group.distinct), count(max(0, x.total-x.group.distinct)), count(x.group.again)))
}

func (s *screen) bar() string {
	past, total := time.Since(s.began).Seconds(), max(s.total.Seconds(), 1)
	done := min(barWidth, int(barWidth*past/total))
	return fmt.Sprintf("[%s%s] %.0f s of about %.0f s", strings.Repeat("=", done), strings.Repeat(" ", barWidth-done), past, total)
}

func (s *screen) row(x site) string {
	brokers := s.paint(green, pad("up", 8))
	if x.lost {
		brokers = s.paint(red, pad("silent", 8))
	}
	nodes := make([]string, 0, len(x.nodes))
	for _, n := range x.nodes {
		nodes = append(nodes, n.text())
	}
	var copies strings.Builder
	for _, o := range places {
		if f, ok := x.from[o]; ok {
			fmt.Fprintf(&copies, "  %-17s", fmt.Sprintf("%s %s (%s)", o, count(f.arrived), f.lagText()))
		}
	}
	return fmt.Sprintf("%s%s%-17s%9s%s", s.paint(bold, pad(string(x.alias), 4)), brokers, strings.Join(nodes, " "), count(x.written), copies.String())
}

// text says how many partitions a node copies.
func (n nodeState) text() string {
	if !n.alive {
		return n.name + ":--"
	}
	return fmt.Sprintf("%s:%d", n.name, n.copies)
}

func (f stream) lagText() string {
	switch {
	case f.lag < 0:
		return "?"
	case f.lag >= 10_000:
		return fmt.Sprintf("%dk", f.lag/1000)
	}
	return count(f.lag)
}

func (p progress) where() string {
	if p.at == "" {
		return "stopped"
	}
	return "in " + string(p.at)
}

// kept is how many copies lie in all clusters.
func (x state) kept() (n int64) {
	for _, site := range x.sites {
		for _, f := range site.from {
			n += f.arrived
		}
	}
	return n
}

// line is a state on one line, for where there is no terminal.
func (s *screen) line(x state) string {
	var written, lags []string
	for _, site := range x.sites {
		written = append(written, fmt.Sprintf("%s %s", site.alias, count(site.written)))
		for _, o := range places {
			if f, ok := site.from[o]; ok {
				lags = append(lags, fmt.Sprintf("%s->%s %s", o, site.alias, f.lagText()))
			}
		}
	}
	return fmt.Sprintf("[%s] written %s (%.0f/s), lag %s, %s %s, %s %s: read %s, again %s\n", s.clock(), strings.Join(written, " "), s.rate,
		strings.Join(lags, " "), s.kept, count(x.kept()), group, x.group.where(), count(x.group.distinct), count(x.group.again))
}
