package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/topology"
)

type acceptFlags struct {
	clusterFlags
	at string
}

func newAcceptCommand() *cobra.Command {
	var f acceptFlags
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
	cmd.Flags().StringVar(&f.at, "at", "", "alias of the cluster where the topic was made again")
	_ = cmd.MarkFlagRequired("at") // the flag exists: it was just added
	return cmd
}

// accepted is what -o json prints.
type accepted struct {
	Topic       string `json:"topic"`
	Cluster     string `json:"cluster"`
	Incarnation int32  `json:"incarnation"`
	Already     bool   `json:"already"` // it was accepted before, or never was another one
}

func runAccept(cmd *cobra.Command, f acceptFlags, topic string) error {
	if err := f.check(); err != nil {
		return err
	}
	_, dial, err := f.open(topology.Alias(f.at), "accept")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), adoptTimeout)
	defer cancel()
	c, err := dial(topology.Alias(f.at))
	if err != nil {
		return usageError{withNextStep(err)}
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
