package rebuild

import (
	"context"
	"slices"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/topology"
)

// incarnations finds which numbers the topics that are produced here had, where meshd.topics is lost: as those noted them who read them here.
func (b *builder) incarnations(ctx context.Context) error {
	if !b.report.NewTopics {
		return nil
	}
	var silent []string
	for _, a := range b.readers() {
		if err := b.claimsOf(ctx, a); err != nil {
			silent = append(silent, string(a))
		}
	}
	b.report.unknown("clusters that did not say which incarnations they have of topics that are produced here",
		"if one of these topics was made again, let them be reached before this runs, or nothing reads it before they do", silent...)
	slices.SortFunc(b.claims, func(x, y checkpoint.Claim) int { return int(x.Number) - int(y.Number) })
	return nil
}

// claimsOf takes what a reader noted. Only one that reads here itself knows the id of what it reads.
func (b *builder) claimsOf(ctx context.Context, a topology.Alias) error {
	c, err := b.Dial(a)
	if err != nil {
		return err
	}
	defer c.Close()
	h := checkpoint.NewHoldings(c, b.report.Cluster)
	if err := h.Refresh(ctx); err != nil && !checkpoint.IsNoTable(err) {
		return err
	}
	for key, prog := range h.All() {
		topic, _, err := checkpoint.SplitKey(key)
		claim := checkpoint.Claim{Topic: topic, Incarnation: checkpoint.Incarnation{TopicID: checkpoint.TopicID(prog.SrcID), Number: prog.Incarnation}}
		if err == nil && claim.TopicID != "" && prog.Read.Cluster == b.report.Cluster && !slices.Contains(b.claims, claim) {
			b.claims = append(b.claims, claim)
		}
	}
	return nil
}

// readers are the clusters to which links lead from here.
func (b *builder) readers() (out []topology.Alias) {
	for p := range b.Topology.Pairs() {
		if p.Source == b.report.Cluster && !b.Topology.Clusters[p.Destination].ReadOnly {
			out = append(out, p.Destination)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
