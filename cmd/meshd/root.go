package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/kafka"
)

// Exit codes, for scripts.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3 // it could be done, but would be unsafe
)

// usageError is a mistake in the call itself.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// refusedError is what could be done, but would be unsafe.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// run executes one command line and returns the process's exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	_, _ = fmt.Fprintf(stderr, "meshd: %v\n", err)                                                         // nobody is left to tell
	if _, ok := errors.AsType[usageError](err); ok || strings.HasPrefix(err.Error(), "required flag(s)") { // cobra has no type for it
		return exitUsage
	}
	if _, ok := errors.AsType[refusedError](err); ok {
		return exitRefused
	}
	return exitFailed
}

// withNextStep adds to an error of a cluster what a person can do about it. A mistake in the call, or what is refused, is no cluster's error.
func withNextStep(err error) error {
	_, usage := errors.AsType[usageError](err)
	if _, refused := errors.AsType[refusedError](err); err == nil || usage || refused {
		return err
	}
	r := kafka.Explain(err, kafka.ClusterUnreachable)
	return errors.New(withHint(r.Text, r.Hint))
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "meshd",
		Short:         "Keep the Kafka clusters of several datacenters replicated into each other",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; meshd --help lists them", args[0])}
			}
			return cmd.Help()
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		newRunCommand(), newValidateCommand(), newSimulateCommand(), newPlanCommand(), newStatusCommand(), newFlowsCommand(), newGroupsCommand(), newNodesCommand(),
		newTranslateCommand(), newExplainCommand(), newAdoptCommand(), newAcceptCommand(), newImportCommand(), newRegistryCommand(), newDemoCommand(), newVersionCommand(),
	)
	return root
}
