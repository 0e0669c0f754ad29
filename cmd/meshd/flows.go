package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

func newFlowsCommand() *cobra.Command {
	var f adminFlags
	var partitions, counters bool
	cmd := &cobra.Command{
		Use: "flows", Short: "Show every topic over every link: its state, its lag, and why it stands still",
		Long: `Show every topic over every link: its state, its lag, and why it stands still.

LAG counts offsets of the log that is read and not copied. BEHIND is how long ago that log had nothing that is not copied by now. FROM
is the cluster whose log that is, where it is not the source's. RECORDS and BYTES are what the nodes that answer copied since they were
started.

--counters shows what they read and left out since then: OWN was produced at the destination, SEEN is there already, OTHERS' is taken for
another source, WRITERS' was written by meshd into what is no copy, FOREIGN by an application into a copy, ABORTED by a transaction that
did not commit, GAPS are offsets that could not be had. STAMPED got a header; of those, COPIED had one that an application copied. AGAIN is
how often the topic was made again.`,
		Example: "  meshd flows\n  meshd flows --partitions --admin eu-1:7948,eu-2:7948\n  meshd flows --counters",
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
				switch {
				case partitions:
					t = partitionTable(a.Flows)
				case counters:
					t = counterTable(a.Flows)
				}
				return t.printOr(w, "the nodes that answered copy nothing yet; meshd status says what is wrong, if anything is")
			})
		},
	}
	f.addTo(cmd)
	cmd.Flags().BoolVar(&partitions, "partitions", false, "a line for each partition")
	cmd.Flags().BoolVar(&counters, "counters", false, "what was left out, by reason")
	cmd.MarkFlagsMutuallyExclusive("partitions", "counters")
	return cmd
}

func flowTable(flows []admin.FlowStatus) *table {
	over := slices.ContainsFunc(flows, elsewhere)
	t := newTable(withFrom(over, "FROM", 2, "LINK", "TOPIC", "COPY", "STATE", "LAG", "BEHIND", "HELD", "RECORDS", "BYTES")...)
	for _, f := range flows {
		lag, behind := numberOr(f.LagRecords, unknown), ageOr(f.LagSeconds, unknown)
		if f.Held == 0 {
			lag, behind = "-", "-"
		}
		t.add(withFrom(over, fromOf(f), 2, f.Link, f.Topic, cmp.Or(f.Remote, "-"), string(f.State), lag, behind, fmt.Sprintf("%d/%d", f.Held, f.Partitions),
			number(f.Totals.Records), size(f.Totals.Bytes)), append(reasonNotes(f.Reason), whyFrom(f)...)...)
	}
	return t
}

// elsewhere says whether a flow is read at another cluster than its source.
func elsewhere(f admin.FlowStatus) bool {
	return slices.ContainsFunc(f.From, func(a topology.Alias) bool { return a != f.Source })
}

// fromOf is where a flow is read, if that has to be said.
func fromOf(f admin.FlowStatus) string {
	if !elsewhere(f) {
		return "-"
	}
	return aliases(f.From)
}

// whyFrom says why a flow is not read where that is nearest.
func whyFrom(f admin.FlowStatus) []string {
	if f.FromWhy == "" || f.FromWhy == loop.Nearest {
		return nil
	}
	line := fmt.Sprintf("read at %s: %s", aliases(f.From), f.FromWhy)
	if f.FromSince != nil {
		line += ", since " + f.FromSince.Format(time.RFC3339)
	}
	return []string{line}
}

// withFrom puts a cell into a row, where it is wanted.
func withFrom(wanted bool, cell string, at int, row ...string) []string {
	if wanted {
		return slices.Insert(row, at, cell)
	}
	return row
}

func partitionTable(flows []admin.FlowStatus) *table {
	over := slices.ContainsFunc(flows, elsewhere)
	t := newTable(withFrom(over, "FROM", 3, "LINK", "TOPIC", "PARTITION", "SHARD", "STATE", "NEXT", "SOURCE END", "LAG", "BEHIND", "DESTINATION")...)
	for _, f := range flows {
		for _, p := range f.Parts {
			next, from := p.Next, "-"
			if p.From != f.Source && p.From != "" {
				next, from = p.Read, string(p.From)
			}
			t.add(withFrom(over, from, 3, f.Link, f.Topic, strconv.Itoa(int(p.Partition)), strconv.Itoa(p.Shard), string(p.State), numberOr(next, unknown), numberOr(p.End, unknown),
				numberOr(p.LagRecords, unknown), ageOr(p.LagSeconds, unknown), numberOr(p.Destination, unknown)), reasonNotes(p.Reason)...)
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
