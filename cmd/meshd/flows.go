package main

import (
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/kafka"
)

func newFlowsCommand() *cobra.Command {
	var f adminFlags
	var partitions bool
	cmd := &cobra.Command{
		Use: "flows", Short: "Show every topic over every link: its state, its lag, and why it stands still",
		Long: `Show every topic over every link: its state, its lag, and why it stands still.

LAG counts source offsets that are not copied. BEHIND is how long ago the source had nothing that is not copied by now. RECORDS and
BYTES are what the nodes that answer copied since they were started.`,
		Example: "  meshd flows\n  meshd flows --partitions --admin eu-1:7948,eu-2:7948",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.client()
			if err != nil {
				return err
			}
			all, err := askAll[admin.FlowsAnswer](cmd, c, "/v1/flows", url.Values{"partitions": {strconv.FormatBool(partitions)}})
			if err != nil {
				return err
			}
			a := admin.MergeFlows(all...)
			return f.show(cmd, a, func(w io.Writer) error {
				t := flowTable(a.Flows)
				if partitions {
					t = partitionTable(a.Flows)
				}
				return t.printOr(w, "the nodes that answered copy nothing yet; meshd status says what is wrong, if anything is")
			})
		},
	}
	f.addTo(cmd)
	cmd.Flags().BoolVar(&partitions, "partitions", false, "a line for each partition")
	return cmd
}

func flowTable(flows []admin.FlowStatus) *table {
	t := newTable("LINK", "TOPIC", "COPY", "STATE", "LAG", "BEHIND", "HELD", "RECORDS", "BYTES")
	for _, f := range flows {
		lag, behind, remote := numberOr(f.LagRecords, unknown), ageOr(f.LagSeconds, unknown), f.Remote
		if f.Held == 0 {
			lag, behind = "-", "-"
		}
		if remote == "" {
			remote = "-"
		}
		t.add([]string{
			f.Link, f.Topic, remote, string(f.State), lag, behind, fmt.Sprintf("%d/%d", f.Held, f.Partitions), number(f.Totals.Records), size(f.Totals.Bytes),
		}, reasonNotes(f.Reason)...)
	}
	return t
}

func partitionTable(flows []admin.FlowStatus) *table {
	t := newTable("LINK", "TOPIC", "PARTITION", "SHARD", "STATE", "NEXT", "SOURCE END", "LAG", "BEHIND", "DESTINATION")
	for _, f := range flows {
		for _, p := range f.Parts {
			t.add([]string{
				f.Link, f.Topic, strconv.Itoa(int(p.Partition)), strconv.Itoa(p.Shard), string(p.State), numberOr(p.Next, unknown), numberOr(p.End, unknown),
				numberOr(p.LagRecords, unknown), ageOr(p.LagSeconds, unknown), numberOr(p.Destination, unknown),
			}, reasonNotes(p.Reason)...)
		}
	}
	return t
}

func reasonNotes(r *kafka.Reason) []string {
	if r == nil {
		return nil
	}
	return []string{r.Code + ": " + r.Text, hintNote(r.Hint)}
}
