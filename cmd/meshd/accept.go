package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/topology"
)

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
	f.addTo(cmd, "where the topic was made again")
	return cmd
}

// accepted is what -o json prints.
type accepted struct {
	Topic       string         `json:"topic"`
	Cluster     topology.Alias `json:"cluster"`
	Incarnation int32          `json:"incarnation"`
	Already     bool           `json:"already"` // it was accepted before, or never was another one
}

func runAccept(cmd *cobra.Command, f atFlags, topic string) error {
	a, err := visit(cmd, &f.clusterFlags, f.at, adoptTimeout, func(ctx context.Context, s *site) (a accepted, err error) {
		c, err := s.reach(f.at)
		if err != nil {
			return a, err
		}
		a = accepted{Topic: topic, Cluster: f.at}
		a.Incarnation, a.Already, err = metasync.Accept(ctx, c[0], topic)
		return a, err
	})
	if err != nil {
		return err
	}
	return f.show(cmd, a, a.print)
}

func (a accepted) print(w io.Writer) error {
	what := "accepted as incarnation %d"
	if a.Already {
		what = "nothing to accept: it is incarnation %d already"
	}
	_, err := fmt.Fprintf(w, "%s at %s: "+what+"\n", a.Topic, a.Cluster, a.Incarnation)
	return err
}
