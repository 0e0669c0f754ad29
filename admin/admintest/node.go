// Package admintest has nodes whose answers are known in advance, for tests of what shows them.
package admintest

import (
	"context"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/flow"
)

// Node is all parts of a node that package admin shows. What its fields hold is what it says.
type Node struct {
	Name         string
	Flow         flow.Status
	ByHome       []admin.GroupsAt
	Members      []admin.NodeStatus
	Topologies   admin.TopologyStatus
	Translations []admin.Translation
	Err          error // of Translate
}

var (
	_ admin.Flows      = (*Node)(nil)
	_ admin.Groups     = (*Node)(nil)
	_ admin.Nodes      = (*Node)(nil)
	_ admin.Topologies = (*Node)(nil)
	_ admin.Translator = (*Node)(nil)
)

// Status is of admin.Flows.
func (n *Node) Status() flow.Status { return n.Flow }

// Groups is of admin.Groups.
func (n *Node) Groups() []admin.GroupsAt { return n.ByHome }

// Nodes is of admin.Nodes.
func (n *Node) Nodes() []admin.NodeStatus { return n.Members }

// Topology is of admin.Topologies.
func (n *Node) Topology() admin.TopologyStatus { return n.Topologies }

// Translate is of admin.Translator.
func (n *Node) Translate(context.Context, admin.TranslateRequest) ([]admin.Translation, error) {
	return n.Translations, n.Err
}
