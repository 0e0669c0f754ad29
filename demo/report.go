package demo

import (
	"fmt"
	"strings"

	"github.com/meshd/meshd/topology"
)

// report prints the verdict.
func (s *story) report(v Verdict) {
	var b strings.Builder
	b.WriteString("\n" + s.paint(bold, "Verdict") + "\n" + v.String())
	if v.OK() {
		b.WriteString(s.paint(green, "Every record arrived once, in order, and none came back.") + "\n")
	} else {
		b.WriteString(s.paint(red, "Something is wrong:") + "\n")
		for _, w := range v.Wrong {
			b.WriteString("  " + w + "\n")
		}
	}
	b.WriteString(next)
	s.print(b.String())
}

const next = `
Next: describe your clusters in a topology.yaml as README.md shows, and check it with: meshd validate topology.yaml
Then start a node in each datacenter: meshd run --topology topology.yaml --node us-1 --data-dir /var/lib/meshd
`

// String is the verdict as a table.
func (v Verdict) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s%10s", "written in", "records")
	for _, o := range v.Origins {
		fmt.Fprintf(&b, "%10s", "in "+string(o.Cluster))
	}
	fmt.Fprintf(&b, "%8s%12s%8s%14s\n", "lost", "duplicated", "looped", "out of order")
	for _, o := range v.Origins {
		fmt.Fprintf(&b, "%-12s%10s", o.Cluster, count(o.Written))
		for _, at := range v.Origins {
			fmt.Fprintf(&b, "%10s", o.arrived(at.Cluster))
		}
		fmt.Fprintf(&b, "%8d%12d%8d%14d\n", o.Lost, o.Duplicated, o.Looped, o.OutOfOrder)
	}
	g := v.Group
	fmt.Fprintf(&b, "group %s: read %s, skipped %d, read again %d (announced: %d)\n", group, count(g.Read), g.Skipped, g.Reread, g.Announced)
	if g.Twice > 0 {
		fmt.Fprintf(&b, "%d more it read twice in one place: the machine was too busy for its heartbeats, and it had to join again.\n", g.Twice)
	}
	return b.String()
}

func (o Origin) arrived(at topology.Alias) string {
	if at == o.Cluster {
		return "-"
	}
	return count(o.Arrived[at])
}
