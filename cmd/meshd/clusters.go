package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// clusterFlags are those of a command that goes to clusters itself, without a node.
type clusterFlags struct {
	outputFlag
	topology, secretsDir string
}

func (f *clusterFlags) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.topology, "topology", "", "the topology file")
	cmd.Flags().StringVar(&f.secretsDir, "secrets-dir", ".", "directory to which the files of secrets in the topology are relative")
	f.outputFlag.addTo(cmd)
	_ = cmd.MarkFlagRequired("topology") // the flag exists: it was just added
}

// atFlags are those of a command that works at one cluster.
type atFlags struct {
	clusterFlags
	at topology.Alias
}

// addTo adds the flags; what says which cluster is meant.
func (f *atFlags) addTo(cmd *cobra.Command, what string) {
	f.clusterFlags.addTo(cmd)
	cmd.Flags().StringVar((*string)(&f.at), "at", "", "alias of the cluster "+what)
	_ = cmd.MarkFlagRequired("at") // the flag exists: it was just added
}

// site is where a command works: it reaches clusters as that cluster's own nodes do.
type site struct {
	topology *topology.Topology
	dial     func(topology.Alias) (*kafka.Cluster, error)
	open     []*kafka.Cluster
}

// reach makes clients of clusters, which are closed when the command is done. All that can't be made are told at once.
func (s *site) reach(all ...topology.Alias) ([]*kafka.Cluster, error) {
	var errs error
	for _, a := range all {
		c, err := s.dial(a)
		if err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		s.open = append(s.open, c)
	}
	if errs != nil {
		return nil, usageError{withNextStep(errs)}
	}
	return s.open[len(s.open)-len(all):], nil
}

func (s *site) close() {
	for _, c := range s.open {
		c.Close()
	}
}

// visit does at a cluster what a command is for, in at most some time.
func visit[R any](cmd *cobra.Command, f *clusterFlags, at topology.Alias, most time.Duration, do func(context.Context, *site) (R, error)) (result R, err error) {
	s, err := f.site(cmd, at)
	if err != nil {
		return result, err
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(cmd.Context(), most)
	defer cancel()
	result, err = do(ctx, s)
	return result, withNextStep(err)
}

func (f *clusterFlags) site(cmd *cobra.Command, at topology.Alias) (*site, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	t, err := loadTopology(f.topology)
	if err != nil {
		return nil, err
	}
	home, ok := t.Clusters[at]
	if !ok {
		return nil, usageError{fmt.Errorf("the topology has no cluster %s", at)}
	}
	d := &kafka.Dialer{Datacenter: home.Datacenter, SecretsDir: f.secretsDir, ClientID: "meshd/" + strings.Fields(cmd.CommandPath())[1]}
	return &site{topology: t, dial: func(a topology.Alias) (*kafka.Cluster, error) {
		return d.Dial(t.Clusters[a], checkpoint.TableWriter()...)
	}}, nil
}
