package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/checkpoint/rebuild"
)

type rebuildFlags struct {
	atFlags
	dryRun bool
}

const rebuildTimeout = time.Hour // it reads all ledgers

func newRegistryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "registry rebuild", Short: "Make a cluster's registries again after they were lost", Example: "  meshd registry rebuild --at eu --topology topology.yaml --dry-run",
		Args: func(*cobra.Command, []string) error { return usageError{errors.New("wants registry rebuild")} },
		RunE: func(*cobra.Command, []string) error { return nil }, // Args refuses what is no subcommand
	}
	cmd.AddCommand(newRebuildCommand())
	return cmd
}

func newRebuildCommand() *cobra.Command {
	var f rebuildFlags
	cmd := &cobra.Command{
		Use: "rebuild --at CLUSTER --topology FILE", Short: "Rebuild meshd.topics and meshd.writers of a cluster from what meshd noted elsewhere",
		Long: `Rebuild meshd.topics and meshd.writers of a cluster, after they were lost as a whole or in part, from what meshd noted elsewhere.

Which topics are copies follows from the progress that is kept there (meshd.progress.*); who wrote them, from the batches of meshd's own
ledgers, and from the copies themselves where a map proves it. What is in a registry stays. What can't be proven is not written, but
listed. The clusters that read from there are told of the new registry, so that their links go on; their nodes may run.

Stop all nodes of the cluster's datacenter first: while one gives signs of life there, it is refused. It is safe to run twice, and has to
be where a cluster that reads from there could not be reached.`,
		Example: "  meshd registry rebuild --at eu --topology topology.yaml --dry-run\n  meshd registry rebuild --at eu --topology topology.yaml",
		Args:    exactly(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runRebuild(cmd, f) },
	}
	f.addTo(cmd, "whose registries were lost")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be written, and write nothing")
	return cmd
}

func runRebuild(cmd *cobra.Command, f rebuildFlags) error {
	r, err := visit(cmd, &f.clusterFlags, f.at, rebuildTimeout, func(ctx context.Context, s *site) (r rebuild.Report, err error) {
		c, err := s.reach(f.at)
		if err != nil {
			return r, err
		}
		r, err = rebuild.Run(ctx, rebuild.Config{Cluster: c[0], Topology: s.topology, Dial: s.dial, DryRun: f.dryRun})
		if running, ok := errors.AsType[*rebuild.RunningError](err); ok {
			return r, refusedError{running}
		}
		if err != nil {
			return r, fmt.Errorf("rebuilding the registries of %s: %w", f.at, err)
		}
		return r, nil
	})
	if err != nil {
		return err
	}
	return f.show(cmd, r, func(w io.Writer) error { return rebuilt(w, r) })
}
