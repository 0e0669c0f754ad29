package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/topology"
)

// atFlags are those of commands that decide something about a topic at a cluster, and write that to its registry.
type atFlags struct {
	topology, secretsDir, at, output string
}

func (f *atFlags) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.topology, "topology", "", "the topology file")
	cmd.Flags().StringVar(&f.secretsDir, "secrets-dir", ".", "directory to which the files of secrets in the topology are relative")
	cmd.Flags().StringVar(&f.at, "at", "", "alias of the cluster")
	cmd.Flags().StringVarP(&f.output, "output", "o", "text", "text, or json for programs")
	for _, name := range []string{"topology", "at"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists: it was just added
	}
}

// open reads the topology, and gives a client of any of its clusters.
func (f *atFlags) open(name string) (*topology.Topology, func(topology.Alias) (*kafka.Cluster, error), error) {
	if f.output != "text" && f.output != "json" {
		return nil, nil, usageError{fmt.Errorf("--output wants text or json, not %q", f.output)}
	}
	t, err := loadTopology(f.topology)
	if err != nil {
		return nil, nil, err
	}
	dial := func(a topology.Alias) (*kafka.Cluster, error) {
		c, ok := t.Clusters[a]
		if !ok {
			return nil, usageError{fmt.Errorf("%s has no cluster %s", f.topology, a)}
		}
		d := &kafka.Dialer{Datacenter: t.Clusters[topology.Alias(f.at)].Datacenter, SecretsDir: f.secretsDir, ClientID: "meshd/" + name}
		client, err := d.Dial(c, checkpoint.TableWriter()...)
		if err != nil {
			return nil, usageError{withNextStep(err)}
		}
		return client, nil
	}
	return t, dial, nil
}

func newAcceptCommand() *cobra.Command {
	var f atFlags
	cmd := &cobra.Command{
		Use:   "accept TOPIC --at CLUSTER --topology FILE",
		Short: "Go on with a topic that was deleted and made again",
		Long: `Go on with TOPIC at CLUSTER, which was deleted and made again.

Where it is read, it has stopped with source_recreated. It goes on with all that the new topic holds, behind what came of the one before;
of that nothing more comes. Where meshd writes into it, it has stopped with destination_recreated: the new topic is filled from the
beginning with what the origins still have.

It writes to the registry of CLUSTER (meshd.topics), and nothing else; running nodes take it up within their discovery interval. It is safe
to run twice. on_recreate: new_incarnation in the topology does the same by itself.`,
		Example: "  meshd accept orders --at us --topology topology.yaml",
		Args:    exactly(1, "the topic, named as it is at --at"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runAccept(cmd, f, args[0]) },
	}
	f.addTo(cmd)
	return cmd
}

// accepted is what -o json prints.
type accepted struct {
	Topic       string `json:"topic"`
	Cluster     string `json:"cluster"`
	Incarnation int32  `json:"incarnation"`
	Already     bool   `json:"already"` // it was accepted before, or never was another one
}

func runAccept(cmd *cobra.Command, f atFlags, topic string) error {
	_, dial, err := f.open("accept")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), adoptTimeout)
	defer cancel()
	c, err := dial(topology.Alias(f.at))
	if err != nil {
		return err
	}
	defer c.Close()
	a := accepted{Topic: topic, Cluster: f.at}
	if a.Incarnation, a.Already, err = metasync.Accept(ctx, c, topic); err != nil {
		return withNextStep(err)
	}
	switch {
	case f.output == "json":
		return printJSON(cmd.OutOrStdout(), a)
	case a.Already:
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s at %s: nothing to accept: it is incarnation %d already\n", topic, f.at, a.Incarnation)
	default:
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s at %s: accepted as incarnation %d\n", topic, f.at, a.Incarnation)
	}
	return err
}
