package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

func newPlanCommand() *cobra.Command {
	var f adminFlags
	cmd := &cobra.Command{
		Use: "plan FILE", Short: "Show what an edited topology would change in what runs, and what it costs",
		Long: `Show what an edited topology would change in what runs, and what it costs. Nothing is changed.

It is compared with the topology of the first node that answers. With naming: identity a link reads its source's whole log, whatever is
taken of it: how much that is beside what is needed is told in volumes of what one cluster produces of a topic.`,
		Example: "  meshd plan topology.yaml\n  meshd plan topology.yaml --admin eu-1:7948,eu-2:7948",
		Args:    exactly(1, "the topology file"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runPlan(cmd, &f, args[0]) },
	}
	f.addTo(cmd)
	return cmd
}

// plan is what an edit does.
type plan struct {
	Mesh     string         `json:"mesh"`
	Running  topology.Stamp `json:"running"`
	File     topology.Stamp `json:"file"`
	Refused  string         `json:"refused,omitempty"` // why nodes will not take it
	Hint     string         `json:"hint,omitempty"`
	Changes  []string       `json:"changes"`
	Identity []loop.Advice  `json:"identity"` // what topics with identity naming cost
	Imports  []leftOut      `json:"imports"`  // what imports left out of what runs
}

// leftOut is what lies below an import's cut: it serves nobody.
type leftOut struct {
	Topic   string         `json:"topic"`
	Cluster topology.Alias `json:"cluster"`
	Offsets int64          `json:"offsets"`
}

// runPlan also prints what nodes will not take, and then says so.
func runPlan(cmd *cobra.Command, f *adminFlags, file string) error {
	t, review, err := reviewTopology(file)
	if err != nil {
		return err
	}
	c, err := f.client()
	if err != nil {
		return err
	}
	now, err := runningTopology(cmd, c)
	if err != nil {
		return err
	}
	warn(cmd, t, review)
	p := newPlan(now, t)
	flows, err := askAll[admin.FlowsAnswer](cmd, c, "/v1/flows", nil)
	if err != nil {
		return err
	}
	p.Imports = leftOuts(admin.MergeFlows(flows...).Flows)
	if err := f.show(cmd, p, func(w io.Writer) error { return p.print(w, file) }); err != nil {
		return err
	}
	if p.Refused != "" {
		return errors.New(withHint(fmt.Sprintf("nodes will not take %s: %s", file, p.Refused), p.Hint))
	}
	return nil
}

func newPlan(now, t *topology.Topology) plan {
	p := plan{Mesh: now.Mesh, Running: now.Stamp(), File: t.Stamp(), Changes: []string{}, Identity: []loop.Advice{}}
	p.Refused, p.Hint = t.Follows(now)
	for _, change := range topology.Diff(now, t) {
		p.Changes = append(p.Changes, change.String())
	}
	advice, _ := loop.Advise(t)
	p.Identity = append(p.Identity, advice...)
	return p
}

func leftOuts(flows []admin.FlowStatus) []leftOut {
	out := []leftOut{}
	for _, f := range flows {
		if x := (leftOut{f.Topic, f.Source, f.BelowCut}); x.Offsets > 0 && !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

func (p plan) print(w io.Writer, file string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "version %s of mesh %s runs; %s is version %s\n", p.Running, p.Mesh, file, p.File)
	for _, change := range p.Changes {
		b.WriteString(clean(change) + "\n")
	}
	if p.Running == p.File {
		b.WriteString("nothing changes\n")
	}
	if len(p.Identity) > 0 {
		b.WriteString("\nidentity naming: a link reads its source's whole log (a volume is what one cluster produces of a topic)\n")
	}
	for _, a := range p.Identity {
		fmt.Fprintf(&b, "  topics like %s: %s read, %d needed\n", a.Topic, plural(a.Reads, "volume"), a.Needs)
		for _, f := range a.Fetches {
			fmt.Fprintf(&b, "    %s reads %d, needs %d\n", f.Pair, f.Reads, len(f.Takes))
		}
		if len(a.Batch) == 2 {
			fmt.Fprintf(&b, "    only %s and %s carry them: provenance: batch would copy their batches as they are\n", a.Batch[0], a.Batch[1])
		}
	}
	for i, x := range p.Imports {
		if i == 0 {
			b.WriteString("\nimports: what lies below a cut serves nobody\n")
		}
		fmt.Fprintf(&b, "  %s of %s: %s\n", x.Topic, x.Cluster, plural(int(x.Offsets), "offset"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
