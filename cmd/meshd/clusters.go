package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// clusterFlags are those of a command that goes to clusters itself, without a node.
type clusterFlags struct{ topology, secretsDir, output string }

func (f *clusterFlags) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.topology, "topology", "", "the topology file")
	cmd.Flags().StringVar(&f.secretsDir, "secrets-dir", ".", "directory to which the files of secrets in the topology are relative")
	cmd.Flags().StringVarP(&f.output, "output", "o", "table", "table, or json for programs")
	_ = cmd.MarkFlagRequired("topology") // the flag exists: it was just added
}

func (f *clusterFlags) check() error {
	if f.output != "table" && f.output != "json" {
		return usageError{fmt.Errorf("--output wants table or json, not %q", f.output)}
	}
	return nil
}

type dialFunc func(topology.Alias) (*kafka.Cluster, error)

// open reads the topology; clusters are reached as a cluster's own nodes reach them.
func (f *clusterFlags) open(at topology.Alias, what string) (*topology.Topology, dialFunc, error) {
	t, err := loadTopology(f.topology)
	if err != nil {
		return nil, nil, err
	}
	home, ok := t.Clusters[at]
	if !ok {
		return nil, nil, usageError{fmt.Errorf("the topology has no cluster %s", at)}
	}
	d := &kafka.Dialer{Datacenter: home.Datacenter, SecretsDir: f.secretsDir, ClientID: "meshd/" + what}
	return t, func(a topology.Alias) (*kafka.Cluster, error) {
		return d.Dial(t.Clusters[a], checkpoint.TableWriter()...)
	}, nil
}
