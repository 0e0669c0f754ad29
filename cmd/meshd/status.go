package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/topology"
)

func newStatusCommand() *cobra.Command {
	var f adminFlags
	cmd := &cobra.Command{
		Use: "status", Short: "Show what is wrong, the worst first, and what every link does",
		Long: `Show what is wrong, the worst first, and what every link does.

A node knows what it holds itself. Name all nodes of a datacenter to see all of the links that end there: the numbers are those of the
nodes that answer. "?" stands for what is not known.

LAG counts offsets of the logs that are read and not copied. RPO is how long ago the source had nothing that is not copied by now.
VIA names other clusters at which something is read instead of at its source: what those lack themselves is not in LAG, and RPO is at
least (>=) what the last hop lacks; the links that end there show the rest.`,
		Example: "  meshd status\n  meshd status --admin eu-1:7948,eu-2:7948\n  meshd status -o json | jq '.problems[]'",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.client()
			if err != nil {
				return err
			}
			all, err := askAll[admin.Status](cmd, c, "/v1/status", nil)
			if err != nil {
				return err
			}
			s := admin.MergeStatus(all...)
			return f.show(cmd, s, func(w io.Writer) error { return printStatus(w, s) })
		},
	}
	f.addTo(cmd)
	return cmd
}

func printStatus(w io.Writer, s admin.Status) error {
	tables := []*table{linkTable(s.Links), clusterTable(s.Clusters), nodeTable(s.Nodes)}
	if len(s.Problems) > 1 {
		tables = slices.Insert(tables, 0, problemTable(s)) // what is wrong is on the first screen
	}
	if _, err := fmt.Fprintln(w, headline(s)); err != nil {
		return err
	}
	for _, t := range tables {
		if len(t.rows) == 0 {
			continue
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		if err := t.print(w); err != nil {
			return err
		}
	}
	return nil
}

// headline says in one line what matters most, with what to do in a second one.
func headline(s admin.Status) string {
	if len(s.Problems) == 0 {
		return calm(s.Links)
	}
	p := s.Problems[0]
	line := fmt.Sprintf("%s%s: %s: %s: %s", strings.ToUpper(string(p.Level)), lasting(s.At, p, " for "), p.Where, p.Code, p.Text)
	if more := len(s.Problems) - 1; more > 0 {
		line += fmt.Sprintf(" (and %s, below)", plural(more, "more problem"))
	}
	return withHint(line, p.Hint)
}

// calm is the headline where nothing is known to be wrong.
func calm(links []admin.LinkStatus) string {
	up, here := 0, 0
	for _, l := range links {
		if away(l) {
			continue
		}
		here++
		if l.Up {
			up++
		}
	}
	switch {
	case here == 0:
		return "IDLE: the nodes that answered hold nothing of any link"
	case up < here:
		return fmt.Sprintf("STARTING: %d of %s", up, plural(here, "link")+" up")
	}
	return fmt.Sprintf("OK: %s up", plural(here, "link"))
}

func away(l admin.LinkStatus) bool { return l.State == admin.Elsewhere || l.State == admin.Paused }

func linkTable(links []admin.LinkStatus) *table {
	over := slices.ContainsFunc(links, func(l admin.LinkStatus) bool { return len(l.Via) > 0 })
	head := []string{"LINK", "STATE", "LAG", "RPO", "TOPICS", "MOVING", "SHARDS"}
	if over {
		head = slices.Insert(head, 1, "VIA")
	}
	t := newTable(head...)
	for _, l := range links {
		cells := []string{l.Link, string(l.State), "-", "-", "-", "-", "-"}
		if !away(l) {
			cells = []string{
				l.Link, string(l.State), numberOr(l.LagRecords, unknown), rpoOf(l), strconv.Itoa(l.Topics), fmt.Sprintf("%d/%d", l.Moving, l.Partitions), strconv.Itoa(len(l.Shards)),
			}
		}
		if over {
			cells = slices.Insert(cells, 1, aliases(l.Via))
		}
		t.add(cells)
	}
	return t
}

// rpoOf is the age up to which all is there. Where something is read at another cluster, it is at least that of the last hop.
func rpoOf(l admin.LinkStatus) string {
	if l.RPOSeconds == nil && len(l.Via) > 0 && l.HopSeconds != nil {
		return ">=" + ageOr(l.HopSeconds, unknown)
	}
	return ageOr(l.RPOSeconds, unknown)
}

func clusterTable(clusters []flow.ClusterStatus) *table {
	t := newTable("CLUSTER", "ID", "ANSWERS")
	for _, c := range clusters {
		answers := "yes"
		if c.Error != "" {
			answers = "no"
		}
		id := c.ID
		if id == "" {
			id = unknown
		}
		t.add([]string{string(c.Alias), id, answers})
	}
	return t
}

func nodeTable(nodes []admin.NodeBrief) *table {
	t := newTable("NODE", "DATACENTER", "READY", "TOPOLOGY", "BUILD")
	for _, n := range nodes {
		ready := "yes"
		if !n.Ready {
			ready = "no"
		}
		t.add([]string{n.Node, n.Datacenter, ready, stamp(n.Topology), n.Build})
	}
	return t
}

func stamp(s topology.Stamp) string {
	if s.Version == 0 {
		return "none"
	}
	return s.String()
}

const maxProblems = 20 // that a person reads

func problemTable(s admin.Status) *table {
	t := newTable("PROBLEM", "FOR", "WHERE", "CODE", "HOW MANY")
	for i, p := range s.Problems {
		if i == maxProblems {
			t.add([]string{fmt.Sprintf("... and %d more; -o json lists all", len(s.Problems)-i)})
			break
		}
		t.add([]string{string(p.Level), cmp.Or(lasting(s.At, p, ""), unknown), p.Where, p.Code, plural(p.Count, p.Of)}, p.Text, hintNote(p.Hint))
	}
	return t
}

// lasting is for how long a problem has been there, behind a word; "" where nobody noted that.
func lasting(now time.Time, p admin.Problem, word string) string {
	if p.Since == nil {
		return ""
	}
	return word + ageOr(new(max(0, now.Sub(*p.Since)).Seconds()), "")
}
