package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

type simulateFlags struct {
	topics []string
	output string
}

func newSimulateCommand() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use: "simulate FILE", Short: "Show which way every topic goes, what that costs, and what the loss of each cluster and link does",
		Long: `Show which way every topic goes, what that costs, and what the loss of each cluster and link does.

Nothing is asked and nothing is changed: all follows from the topology. For each origin it tells from which neighbour each cluster takes
its records, and which others have them too; how much is read over each link, in volumes of what one cluster produces of the topic
(with naming: identity a link brings its source's whole log); what goes another way, and what is cut off, without each cluster
and each link; and the single points of failure. Every record is at every cluster once, whichever way it came.

Without --topic it takes an example of each way in which links carry topics: the shortest name there is. Paused links count as if they ran.`,
		Example: "  meshd simulate topology.yaml\n  meshd simulate topology.yaml --topic orders -o svg > orders.svg",
		Args:    exactly(1, "the topology file"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runSimulate(cmd, f, args[0]) },
	}
	cmd.Flags().StringArrayVar(&f.topics, "topic", nil, "a topic, named as where it is produced; may be given several times")
	cmd.Flags().StringVarP(&f.output, "output", "o", "text", "text; json for programs; dot (Graphviz) or svg for a picture")
	return cmd
}

// simulation is what -o json prints.
type simulation struct {
	topology.Stamp
	Mesh     string           `json:"mesh"`
	Complete bool             `json:"complete"` // there are no other ways in which topics are carried; true where topics were named
	Topics   []simulatedTopic `json:"topics"`
}

type simulatedTopic struct {
	loop.Survey
	Graph loop.Graph `json:"links"`
}

// runSimulate also shows a topology that is refused for what it makes of topics, and then says so.
func runSimulate(cmd *cobra.Command, f simulateFlags, file string) error {
	write, ok := map[string]func(io.Writer, simulation) error{"text": writeText, "json": printSimulation, "dot": writeDOT, "svg": writeSVG}[f.output]
	if !ok {
		return usageError{fmt.Errorf("--output wants text, json, dot or svg, not %q", f.output)}
	}
	t, err := parseTopology(file)
	if err != nil {
		return err
	}
	s, err := simulate(t, f.topics)
	if err != nil {
		return usageError{err}
	}
	if err := write(cmd.OutOrStdout(), s); err != nil {
		return err
	}
	if err := loop.ReviewTopology(t).Err(); err != nil {
		return problemsOf(file, err)
	}
	return nil
}

func simulate(t *topology.Topology, topics []string) (simulation, error) {
	s := simulation{Stamp: t.Stamp(), Mesh: t.Mesh, Complete: true}
	if len(topics) == 0 {
		topics, s.Complete = loop.Examples(t)
	}
	for _, topic := range topics {
		g := loop.Carriers(t, topic)
		if len(g) == 0 {
			return s, fmt.Errorf("no link carries topic %s", clean(topic))
		}
		s.Topics = append(s.Topics, simulatedTopic{loop.SurveyTopic(topic, g), g})
	}
	return s, nil
}

func writeText(w io.Writer, s simulation) error {
	var b strings.Builder
	for i, x := range s.Topics {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(x.Text())
		for _, e := range x.Graph {
			if e.Paused {
				fmt.Fprintf(&b, "  %s (link %s) is paused: all this is so once it runs\n", e, e.Link)
			}
		}
	}
	if len(s.Topics) == 0 {
		b.WriteString("no link carries any topic\n")
	}
	if !s.Complete {
		b.WriteString("\nThere are more ways than these in which topics are carried, or the expressions are too many to tell; --topic asks for one.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeDOT(w io.Writer, s simulation) error {
	var b strings.Builder
	for _, x := range s.Topics {
		b.WriteString(x.DOT(x.Graph))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeSVG(w io.Writer, s simulation) error {
	pictures := make([]loop.Picture, len(s.Topics))
	for i, x := range s.Topics {
		pictures[i] = loop.Picture{Survey: x.Survey, Graph: x.Graph}
	}
	_, err := io.WriteString(w, loop.SVG(pictures...))
	return err
}

func printSimulation(w io.Writer, s simulation) error { return printJSON(w, s) }
