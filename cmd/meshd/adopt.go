package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/metasync"
	"github.com/meshd/meshd/topology"
)

type adoptFlags struct {
	atFlags
	from  topology.Alias
	local bool
}

const adoptTimeout = time.Minute

func newAdoptCommand() *cobra.Command {
	var f adoptFlags
	cmd := &cobra.Command{
		Use:   "adopt TOPIC --topology FILE --from A --at B",
		Short: "Take over a copy that MirrorMaker 2 made, or declare a look-alike to be local",
		Long: `Take over the copy, at cluster B, of TOPIC of cluster A, which meshd did not make; or declare that it is none.

Copying goes on at MirrorMaker 2's own position (mm2-offsets.A.internal at B), so that nothing comes twice and nothing is left out.
Stop MirrorMaker 2 for this topic first. A copy that holds records and has no such position is refused.

It writes to the registry of B (meshd.topics), and nothing else; running nodes take it up within their discovery interval. It is safe
to run twice.`,
		Example: "  meshd adopt orders --topology topology.yaml --from us --at eu\n  meshd adopt orders --topology topology.yaml --from us --at eu --local",
		Args:    exactly(1, "the topic, named as it is at --from"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runAdopt(cmd, f, args[0]) },
	}
	f.addTo(cmd, "that holds the copy")
	cmd.Flags().StringVar((*string)(&f.from), "from", "", "alias of the cluster where the topic is produced")
	cmd.Flags().BoolVar(&f.local, "local", false, "it is no copy, though it is named like one: produced where it is")
	_ = cmd.MarkFlagRequired("from") // the flag exists: it was just added
	return cmd
}

// adopted is what -o json prints.
type adopted struct {
	Name    string         `json:"name"` // of the copy
	Cluster topology.Alias `json:"cluster"`
	checkpoint.TopicEntry
}

func runAdopt(cmd *cobra.Command, f adoptFlags, topic string) error {
	a, err := visit(cmd, &f.clusterFlags, f.at, adoptTimeout, func(ctx context.Context, s *site) (a adopted, err error) {
		settings, err := settingsOf(s.topology, topology.Pair{Source: f.from, Destination: f.at}, topic)
		if err != nil {
			return a, usageError{err}
		}
		c, err := s.reach(f.at)
		if err != nil {
			return a, err
		}
		a = adopted{Name: loop.RemoteName(f.from, settings.Separator, topic), Cluster: f.at}
		a.TopicEntry, err = adoptAt(ctx, c[0], metasync.Wish{Topic: topic, Remote: a.Name, Origin: f.from, Settings: settings}, f.local)
		return a, err
	})
	if err != nil {
		return err
	}
	return f.show(cmd, a, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s at %s: %s\n", a.Name, a.Cluster, told(a.TopicEntry))
		return err
	})
}

func adoptAt(ctx context.Context, c *kafka.Cluster, w metasync.Wish, local bool) (e checkpoint.TopicEntry, err error) {
	_, brokers, err := c.Identity(ctx)
	if err == nil {
		err = checkpoint.EnsureOwned(ctx, c, brokers, 1, checkpoint.TopicsTopic)
	}
	if err != nil {
		return e, err
	}
	registry := checkpoint.NewTopics(c)
	s := &metasync.Syncer{Destination: c, Registry: registry, Log: slog.New(slog.DiscardHandler)}
	if err := s.Adopt(ctx, w, local); err != nil {
		return e, fmt.Errorf("adopting %s at %s: %w", w.Remote, c.Config.Alias, err)
	}
	return registry.Entries()[w.Remote], nil
}

// told says what the registry knows now.
func told(e checkpoint.TopicEntry) string {
	switch e.Kind {
	case checkpoint.Local:
		return "declared local"
	case checkpoint.Adopted:
		return fmt.Sprintf("adopted as the copy of %s from %s; copying goes on at %v (partition: source offset)", e.Topic, e.Origin, e.Positions)
	case checkpoint.Created, checkpoint.Intent, checkpoint.Shared:
		return "meshd's already"
	}
	return string(e.Kind)
}

// settingsOf are the settings by which a pair carries a topic.
func settingsOf(t *topology.Topology, pair topology.Pair, topic string) (topology.LinkSettings, error) {
	for p, l := range t.Pairs() {
		if p != pair {
			continue
		}
		settings, ok := l.Topic(topic)
		if !ok {
			return settings, fmt.Errorf("link %s does not carry topic %s", l.Name, topic)
		}
		return settings, nil
	}
	return topology.LinkSettings{}, fmt.Errorf("%w from %s to %s", errNoLink, pair.Source, pair.Destination)
}

var errNoLink = errors.New("no link leads")
