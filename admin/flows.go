package admin

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// flows are all topics that the pairs of this node carry, or have a reason not to, with the partitions that it holds.
func (k *tracker) flows(now time.Time, s flow.Status) []FlowStatus {
	out := []FlowStatus{}
	for _, p := range s.Pairs {
		parts := map[string][]flow.PartStatus{}
		for _, ps := range p.Partitions {
			parts[ps.Topic] = append(parts[ps.Topic], ps)
		}
		for _, t := range p.Topics {
			out = append(out, k.flow(now, pairOf(p), t, parts[t.Topic]))
		}
	}
	slices.SortFunc(out, compareFlows)
	return out
}

func compareFlows(a, b FlowStatus) int {
	return cmp.Or(strings.Compare(a.Link, b.Link), strings.Compare(a.Topic, b.Topic))
}

func (k *tracker) flow(now time.Time, at topology.Pair, t flow.TopicStatus, parts []flow.PartStatus) FlowStatus {
	f := FlowStatus{
		Link: at.String(), Source: at.Source, Destination: at.Destination, Topic: t.Topic, Remote: t.Remote, Kind: t.Kind,
		From: fromOf(t, parts), FromWhy: t.Why, Identity: t.Identity, BelowCut: t.BelowCut,
		Partitions: t.Partitions, Held: len(parts), State: Elsewhere, Reason: t.Reason, Totals: k.totals[flowKey{at, t.Topic}],
	}
	if t.Reason != nil {
		f.State = flow.Stopped
	}
	if !t.Since.IsZero() {
		f.FromSince = &t.Since
	}
	for i, ps := range parts {
		one := k.partition(now, at, ps)
		f.Parts = append(f.Parts, one)
		if ps.Reason != nil && (f.Reason == nil || rank[ps.State] > rank[f.State]) {
			f.Reason = ps.Reason
		}
		f.State, f.Incarnation = worse(f.State, ps.State), max(f.Incarnation, ps.Incarnation)
		f.Warnings = firsts(f.Warnings, ps.Warnings)
		if i == 0 {
			f.LagRecords, f.LagSeconds = one.LagRecords, one.LagSeconds
			continue
		}
		f.LagRecords, f.LagSeconds = plus(f.LagRecords, one.LagRecords), older(f.LagSeconds, one.LagSeconds)
	}
	return f
}

// fromOf are the clusters at which a topic is read: a moment after a change they are two.
func fromOf(t flow.TopicStatus, parts []flow.PartStatus) []topology.Alias {
	var out []topology.Alias
	if t.From != "" {
		out = append(out, t.From)
	}
	for _, p := range parts {
		if p.From != "" {
			out = append(out, p.From)
		}
	}
	return both(out, nil)
}

// firsts are, of each code, the first in the order of texts.
func firsts(a, b []kafka.Reason) []kafka.Reason {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y kafka.Reason) int {
		return cmp.Or(strings.Compare(x.Code, y.Code), strings.Compare(x.Text, y.Text), strings.Compare(x.Hint, y.Hint))
	})
	return slices.CompactFunc(all, func(x, y kafka.Reason) bool { return x.Code == y.Code })
}

func (k *tracker) partition(now time.Time, at topology.Pair, ps flow.PartStatus) PartitionStatus {
	out := PartitionStatus{
		Partition: ps.Partition, From: ps.From, Shard: ps.Shard, State: ps.State, Reason: ps.Reason,
		LagRecords: lagOf(now, ps), LagSeconds: k.parts[partKey{flowKey{at, ps.Topic}, ps.Partition}].seconds(now), MapBytes: ps.MapBytes,
	}
	if ps.Broker >= 0 {
		out.Broker = &ps.Broker
	}
	if heard := !ps.Stats.SeenAt.IsZero(); heard || ps.State != flow.Opening {
		out.Next, out.Read, out.Destination = &ps.Next, &ps.Read, &ps.Dest
		if heard {
			out.End = &ps.End
		}
	}
	return out
}

// older is the greater of two ages; it is unknown if one of them is.
func older(a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	return new(max(*a, *b))
}
