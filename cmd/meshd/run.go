package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/datapath"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/internal/embedded"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

type runFlags struct {
	topology, node, dataDir, secretsDir, logLevel string
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
	cmd.Flags().StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	for _, name := range []string{"topology", "node"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists: it was just added
	}
	return cmd
}

func runNode(ctx context.Context, cmd *cobra.Command, f runFlags) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return usageError{fmt.Errorf("--log-level: %w", err)}
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
	clusters := &embedded.Clusters{}
	defer clusters.Close()
	m := datapath.New(flow.Config{
		Node: node.Name, Log: log, Observer: nobody{},
		Dialer: &kafka.Dialer{Datacenter: node.Datacenter, SecretsDir: f.secretsDir, ClientID: "meshd/" + node.Name, Embedded: clusters.Addresses},
	})
	defer m.Close()
	if err := m.Apply(t, everything(t, node.Datacenter)); err != nil {
		log.Error("applying the topology", slog.Any("error", err))
	}
	<-ctx.Done()
	log.Info("stopping", slog.Any("cause", context.Cause(ctx)))
	return nil
}

// everything is all shards that end in a datacenter.
func everything(t *topology.Topology, dc string) []flow.Held {
	var held []flow.Held
	for p := range t.Pairs() {
		if t.Clusters[p.Destination].Datacenter != dc {
			continue
		}
		for n := range topology.Shards {
			held = append(held, flow.Held{Shard: topology.Shard{Origin: p.Source, Destination: p.Destination, Number: n}, Epoch: 1})
		}
	}
	return held
}

type nobody struct{}

func (nobody) Arrived(topology.Shard, flow.Spec, time.Duration) {}
func (nobody) TookOver(topology.Shard)                          {}
