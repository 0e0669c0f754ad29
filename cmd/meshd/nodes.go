package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/admin"
)

func newNodesCommand() *cobra.Command {
	var f adminFlags
	cmd := &cobra.Command{
		Use: "nodes", Short: "Show the nodes of the mesh: who lives, who leads, who holds how much",
		Long: `Show the nodes of the mesh: who lives, who leads, who holds how much.

It is the view of one node: the first of --admin that answers.`,
		Example: "  meshd nodes\n  meshd nodes --admin us-1:7948,eu-1:7948",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.client()
			if err != nil {
				return err
			}
			a, err := askOne[admin.NodesAnswer](cmd, c, "/v1/nodes", nil, askTimeout)
			if err != nil {
				return err
			}
			return f.show(cmd, a, func(w io.Writer) error { return printNodes(w, a) })
		},
	}
	f.addTo(cmd)
	return cmd
}

func printNodes(w io.Writer, a admin.NodesAnswer) error {
	slices.SortFunc(a.Nodes, func(x, y admin.NodeStatus) int {
		return cmp.Or(strings.Compare(x.Datacenter, y.Datacenter), strings.Compare(x.Name, y.Name))
	})
	t := newTable("NODE", "DATACENTER", "ALIVE", "ROLE", "SHARDS", "TOPOLOGY", "BUILD", "GOSSIP", "RAFT", "ADMIN")
	dead := 0
	for _, n := range a.Nodes {
		alive, note := "yes", ""
		if !n.Alive {
			alive, dead = "no", dead+1
			note = "hint: start it again, or take it out of the topology; its shards move to the other nodes of its datacenter"
		}
		t.add([]string{
			n.Name, n.Datacenter, alive, roleOf(n), strconv.Itoa(n.Shards), stamp(n.Topology), n.Build, n.Gossip, n.Raft, n.Admin,
		}, note)
	}
	alive := "all alive"
	if dead > 0 {
		alive = fmt.Sprintf("%d NOT ALIVE", dead)
	}
	if _, err := fmt.Fprintf(w, "%s, %s, as %s sees it\n\n", plural(len(a.Nodes), "node"), alive, clean(a.Node)); err != nil {
		return err
	}
	return t.print(w)
}

func roleOf(n admin.NodeStatus) string {
	switch {
	case n.Leader:
		return "leader"
	case n.Voter:
		return "voter"
	}
	return "-"
}
