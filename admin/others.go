package admin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshd/meshd/topology"
)

// nodeProblems are nodes that are not there.
func nodeProblems(nodes []NodeStatus) (out []Problem) {
	for _, n := range nodes {
		if !n.Alive {
			out = append(out, Problem{
				Level: LevelWarning, Where: "node " + n.Name, Code: nodeDead, Count: 1, Of: "node", Text: "is not heard of in datacenter " + n.Datacenter,
				Hint: "its shards move to the other nodes there; start it again, or take it out of the topology",
			})
		}
	}
	return out
}

// offerProblems are topologies that somebody meant to run here.
func offerProblems(t TopologyStatus) (out []Problem) {
	for _, o := range t.Offered {
		out = append(out, Problem{
			Level: LevelWarning, Where: fmt.Sprintf("topology %s from %s", o.Stamp, o.From), Code: topologyRefused, Text: o.Why, Hint: o.Hint, Count: 1, Of: "topology",
		})
	}
	return out
}

// apart says so where nodes run different topologies.
func apart(nodes []NodeBrief) []Problem {
	by := map[topology.Stamp][]string{}
	for _, n := range nodes {
		by[n.Topology] = append(by[n.Topology], n.Node)
	}
	if len(by) < 2 {
		return nil
	}
	var parts []string
	for stamp, names := range by {
		parts = append(parts, fmt.Sprintf("%s on %s", stamp, strings.Join(names, ", ")))
	}
	slices.Sort(parts)
	return []Problem{{
		Level: LevelWarning, Where: "topology", Code: topologiesApart, Count: len(by), Of: "topology", Text: "nodes run different versions: " + strings.Join(parts, "; "),
		Hint: "they agree within seconds where they reach each other",
	}}
}
