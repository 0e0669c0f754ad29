package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

func newValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "validate FILE", Short: "Check a topology and print every problem with its place",
		Example: "  meshd validate topology.yaml",
		Args:    exactly(1, "the topology file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, review, err := reviewTopology(args[0])
			if err != nil {
				return err
			}
			warn(cmd, t, review)
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

// warn tells what a topology was accepted with, and is probably not meant.
func warn(cmd *cobra.Command, t *topology.Topology, r loop.Review) {
	for _, w := range slices.Concat(t.Warnings(), r.Said) {
		cmd.PrintErrf("warning: %s\n", w)
	}
}

// loadTopology reads and checks a topology. Its problems are the user's mistakes.
func loadTopology(file string) (*topology.Topology, error) {
	t, _, err := reviewTopology(file)
	return t, err
}

// reviewTopology is loadTopology, with what else is to be said.
func reviewTopology(file string) (*topology.Topology, loop.Review, error) {
	t, err := parseTopology(file)
	if err != nil {
		return nil, loop.Review{}, err
	}
	r := loop.ReviewTopology(t)
	if err := r.Err(); err != nil {
		return nil, r, problemsOf(file, err)
	}
	return t, r, nil
}

// parseTopology reads a topology that may still be refused for what it makes of topics.
func parseTopology(file string) (*topology.Topology, error) {
	if file == "" {
		return nil, usageError{errors.New("the topology wants the name of a file")}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, usageError{fmt.Errorf("reading the topology: %w", err)}
	}
	t, err := topology.Parse(file, data)
	if err != nil {
		return nil, problemsOf(file, err)
	}
	return t, nil
}

func problemsOf(file string, err error) error {
	if problems, ok := errors.AsType[topology.Problems](err); ok {
		err = fmt.Errorf("%s has %s:\n%w", file, plural(len(problems), "problem"), err)
	}
	return usageError{err}
}
