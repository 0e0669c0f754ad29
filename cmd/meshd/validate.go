package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/topology"
)

func newValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "validate FILE", Short: "Check a topology and print every problem with its place",
		Example: "  meshd validate topology.yaml",
		Args:    exactly(1, "the topology file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := loadTopology(args[0])
			if err != nil {
				return err
			}
			for _, w := range t.Warnings() {
				cmd.PrintErrf("warning: %s\n", w)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: version %d of mesh %s is valid: %s, %s, %s\n",
				args[0], t.Version, t.Mesh, plural(len(t.Clusters), "cluster"), plural(len(t.Nodes), "node"), plural(len(t.Links), "link"))
			return err
		},
	}
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("wants %s, got %s; %s --help shows how", what, plural(len(args), "argument"), cmd.CommandPath())}
		}
		return nil
	}
}

// loadTopology reads and checks a topology. Its problems are the user's mistakes.
func loadTopology(file string) (*topology.Topology, error) {
	if file == "" {
		return nil, usageError{errors.New("the topology wants the name of a file")}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, usageError{fmt.Errorf("reading the topology: %w", err)}
	}
	t, err := topology.Parse(file, data)
	if err != nil {
		if problems, ok := errors.AsType[topology.Problems](err); ok {
			return nil, usageError{fmt.Errorf("%s has %s:\n%w", file, plural(len(problems), "problem"), err)}
		}
		return nil, usageError{err}
	}
	return t, nil
}
