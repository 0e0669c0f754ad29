package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

func newExplainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "explain topic|record", Short: "Say why a topic is carried, or not; tell the story of a record", Example: "  meshd explain topic orders\n  meshd explain record eu orders 3 1234 --topology topology.yaml",
		Args: func(*cobra.Command, []string) error {
			return usageError{errors.New("wants topic NAME, or record CLUSTER TOPIC PARTITION OFFSET")}
		},
		RunE: func(*cobra.Command, []string) error { return nil }, // Args refuses what is no subcommand
	}
	cmd.AddCommand(newExplainTopicCommand(), newExplainRecordCommand())
	return cmd
}

func newExplainTopicCommand() *cobra.Command {
	var f adminFlags
	cmd := &cobra.Command{
		Use: "topic NAME", Short: "Say for every link whether it carries a topic, where to, and why not",
		Long: `Say for every link whether it carries a topic, where to, and why not.

The topic is named as at its origin, or as one of its copies.`,
		Example: "  meshd explain topic orders\n  meshd explain topic us.orders --admin eu-1:7948,eu-2:7948",
		Args:    exactly(1, "the name of a topic"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := f.client()
			if err != nil {
				return err
			}
			top, err := runningTopology(cmd, c)
			if err != nil {
				return err
			}
			all, err := askAll[admin.FlowsAnswer](cmd, c, "/v1/flows", url.Values{"partitions": {"true"}})
			if err != nil {
				return err
			}
			es := explainTopic(top, admin.MergeFlows(all...).Flows, args[0])
			return f.show(cmd, es, func(w io.Writer) error { return explanationTable(args[0], es).print(w) })
		},
	}
	f.addTo(cmd)
	return cmd
}

// runningTopology is the one that the first node runs which answers.
func runningTopology(cmd *cobra.Command, c *adminClient) (*topology.Topology, error) {
	a, err := askOne[admin.TopologyAnswer](cmd, c, "/v1/topology", nil, askTimeout)
	if err != nil {
		return nil, err
	}
	if a.Running == nil {
		return nil, errors.New("no topology runs there yet")
	}
	t, err := topology.ParseInProcess("topology", []byte(a.Running.Source))
	if err != nil {
		return nil, fmt.Errorf("reading the node's topology, which another release may have written: %w", err)
	}
	return t, nil
}

// explanation is what a link does about a topic.
type explanation struct {
	Link    string            `json:"link"`
	Topic   string            `json:"topic"`   // as at the origin
	Carried string            `json:"carried"` // yes, no or unknown
	Why     string            `json:"why"`
	Flow    *admin.FlowStatus `json:"flow,omitempty"` // what the nodes that answered say
}

// explainTopic goes through all links. A name that is a copy's stands for its origin too.
func explainTopic(t *topology.Topology, flows []admin.FlowStatus, name string) (out []explanation) {
	linked := map[string]bool{}
	for p, l := range t.Pairs() {
		at := pairTopic{t: t, pair: p, link: l, flows: flows}
		topics := []string{name}
		for _, f := range flows {
			if f.Link == p.String() && f.Remote == name && f.Topic != name {
				topics = append(topics, f.Topic)
			}
		}
		for _, topic := range topics {
			out = append(out, at.explain(topic))
		}
		linked[p.String()] = true
	}
	for _, f := range flows {
		if !linked[f.Link] && (f.Topic == name || f.Remote == name) {
			why := fmt.Sprintf("no link leads from %s to %s; it comes over %s, and its copy is %s there", f.Source, f.Destination, aliases(f.From), f.Remote)
			out = append(out, explanation{Link: f.Link, Topic: f.Topic, Carried: "yes", Why: why, Flow: &f})
		}
	}
	return out
}

// pairTopic is one direction of a link, with all that is known of topics.
type pairTopic struct {
	t     *topology.Topology
	pair  topology.Pair
	link  *topology.Link
	flows []admin.FlowStatus
}

func (x pairTopic) explain(topic string) explanation {
	e := explanation{Link: x.pair.String(), Topic: topic, Carried: "no"}
	if i := slices.IndexFunc(x.flows, func(f admin.FlowStatus) bool { return f.Link == e.Link && f.Topic == topic }); i >= 0 {
		e.Flow = &x.flows[i]
	}
	settings, listed := x.link.Topic(topic)
	switch {
	case !listed:
		e.Why = x.notListed(topic)
	case x.link.Paused:
		e.Why = "the link would carry it, and is paused in the topology"
	case e.Flow == nil:
		e.Carried, e.Why = x.notFound(topic)
	case e.Flow.Kind == loop.Unclaimed && e.Flow.Remote == "":
		e.Why = "it is left alone until a person decides"
	default:
		e.Carried = "yes"
		e.Why = fmt.Sprintf("its copy is %s at %s", loop.RemoteName(x.pair.Source, settings.Separator, topic), x.pair.Destination)
		if settings.Naming == topology.Identity {
			e.Why = fmt.Sprintf("it has the same name at %s, where others write too", x.pair.Destination)
		}
	}
	return e
}

// notFound is for a topic that the link would carry and no node that answered speaks of.
func (x pairTopic) notFound(topic string) (carried, why string) {
	held := false
	for _, f := range x.flows {
		if f.Destination == x.pair.Source && f.Remote == topic && !f.Identity {
			return "no", fmt.Sprintf("at %s it is the copy of %s of %s: what is sent on of it is told of %s", x.pair.Source, f.Topic, f.Source, topology.Pair{Source: f.Source, Destination: x.pair.Destination})
		}
		held = held || f.Link == x.pair.String()
	}
	if held {
		return "no", fmt.Sprintf("%s has no such topic, or it is a copy there, which goes on under its origin's name alone", x.pair.Source)
	}
	return "unknown", fmt.Sprintf("it would be if it is produced at %s; the nodes of datacenter %s know", x.pair.Source, x.t.Clusters[x.pair.Destination].Datacenter)
}

func (x pairTopic) notListed(topic string) string {
	if topology.Internal(topic, x.link.Settings.Separator) {
		return "internal topics of meshd, Kafka and MirrorMaker 2 are never carried"
	}
	for _, p := range x.link.Topics.Exclude {
		if p.Match(topic) {
			return fmt.Sprintf("topics.exclude of link %s has %s, which matches it", x.link.Name, p)
		}
	}
	return fmt.Sprintf("no pattern of topics.include of link %s matches it", x.link.Name)
}

func explanationTable(name string, es []explanation) *table {
	t := newTable("LINK", "TOPIC", "CARRIED", "STATE", "LAG", "BEHIND", "HELD")
	for _, e := range es {
		cells := []string{e.Link, e.Topic, e.Carried, "-", "-", "-", "-"}
		notes := []string{e.Why}
		if f := e.Flow; f != nil {
			cells[3], cells[4], cells[5], cells[6] = string(f.State), numberOr(f.LagRecords, unknown), ageOr(f.LagSeconds, unknown), fmt.Sprintf("%d/%d", f.Held, f.Partitions)
			notes = append(notes, reasonNotes(f.Reason)...)
			for _, w := range f.Warnings {
				notes = append(notes, reasonNotes(&w)...)
			}
		}
		if e.Topic != name {
			notes = append(notes, name+" is its copy at the other end")
		}
		t.add(cells, notes...)
	}
	return t
}
