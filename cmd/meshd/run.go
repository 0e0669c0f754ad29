package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type runFlags struct {
	topology, node, dataDir, secretsDir, bind, logLevel, pprof string
}

func newRunCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "run --topology FILE --node NAME --data-dir DIR", Short: "Run a node",
		Example: "  meshd run --topology topology.yaml --node us-1 --data-dir /var/lib/meshd",
		Args:    exactly(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runNode(cmd.Context(), cmd, f) },
	}
	cmd.Flags().StringVar(&f.topology, "topology", "", "the topology file")
	cmd.Flags().StringVar(&f.node, "node", "", "the name of this node in the topology")
	cmd.Flags().StringVar(&f.dataDir, "data-dir", "", "directory for what the node must not forget")
	cmd.Flags().StringVar(&f.secretsDir, "secrets-dir", ".", "directory to which the files of secrets in the topology are relative")
	cmd.Flags().StringVar(&f.bind, "bind", "", "address to listen on, where that differs from the node's address in the topology")
	cmd.Flags().StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&f.pprof, "pprof", "", "address of the loopback interface at which to answer go tool pprof, such as 127.0.0.1:6060; none by default")
	fromEnvironment(cmd)
	for _, name := range []string{"topology", "node", "data-dir"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists: it was just added
	}
	return cmd
}

func runNode(ctx context.Context, cmd *cobra.Command, f runFlags) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return usageError{fmt.Errorf("--log-level wants debug, info, warn or error, not %q", f.logLevel)}
	}
	if f.dataDir == "" {
		return usageError{errors.New("--data-dir wants a directory")}
	}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
	t, err := loadTopology(f.topology)
	if err != nil {
		return err
	}
	node, ok := t.Nodes[f.node]
	if !ok {
		names := slices.Sorted(maps.Keys(t.Nodes))
		return usageError{fmt.Errorf("node %q is not in %s; its nodes are %s", f.node, f.topology, strings.Join(names, ", "))}
	}
	if f.pprof != "" {
		stop, err := serveProfiles(f.pprof, log)
		if err != nil {
			return err
		}
		defer func() { _ = stop() }() // the process ends
	}
	go frugal(ctx)
	n := &nodeProcess{flags: f, topology: t, node: node, log: log}
	return n.run(ctx)
}

// fromEnvironment gives every flag of a command its default from MESHD_<FLAG>, where that is set: MESHD_DATA_DIR for --data-dir.
func fromEnvironment(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		v, ok := os.LookupEnv("MESHD_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")))
		if ok {
			_ = cmd.Flags().Set(f.Name, v) // all of them are strings
		}
	})
}
