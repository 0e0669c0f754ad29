package main

import (
	"context"
	"errors"
	"fmt"
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
	topology, secretsDir, from, at string
	local                          bool
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
	cmd.Flags().StringVar(&f.topology, "topology", "", "the topology file")
	cmd.Flags().StringVar(&f.secretsDir, "secrets-dir", ".", "directory to which the files of secrets in the topology are relative")
	cmd.Flags().StringVar(&f.from, "from", "", "alias of the cluster where the topic is produced")
	cmd.Flags().StringVar(&f.at, "at", "", "alias of the cluster that holds the copy")
	cmd.Flags().BoolVar(&f.local, "local", false, "it is no copy, though it is named like one: produced where it is")
	for _, name := range []string{"topology", "from", "at"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists: it was just added
	}
	return cmd
}

func runAdopt(cmd *cobra.Command, f adoptFlags, topic string) error {
	t, err := loadTopology(f.topology)
	if err != nil {
		return err
	}
	pair := topology.Pair{Source: topology.Alias(f.from), Destination: topology.Alias(f.at)}
	settings, err := settingsOf(t, pair, topic)
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), adoptTimeout)
	defer cancel()
	dialer := &kafka.Dialer{Datacenter: t.Clusters[pair.Destination].Datacenter, SecretsDir: f.secretsDir, ClientID: "meshd/adopt"}
	c, err := dialer.Dial(t.Clusters[pair.Destination], checkpoint.TableWriter()...)
	if err != nil {
		return usageError{withNextStep(err)}
	}
	defer c.Close()
	err = adoptAt(ctx, cmd, c, metasync.Wish{
		Topic: topic, Remote: loop.RemoteName(pair.Source, settings.Separator, topic), Origin: pair.Source, Settings: settings,
	}, f.local)
	return withNextStep(err)
}

func adoptAt(ctx context.Context, cmd *cobra.Command, c *kafka.Cluster, w metasync.Wish, local bool) error {
	_, brokers, err := c.Identity(ctx)
	if err == nil {
		err = checkpoint.EnsureOwned(ctx, c, brokers, 1, checkpoint.TopicsTopic)
	}
	if err != nil {
		return err
	}
	registry := checkpoint.NewTopics(c)
	s := &metasync.Syncer{Destination: c, Registry: registry, Log: slog.New(slog.DiscardHandler)}
	if err := s.Adopt(ctx, w, local); err != nil {
		return fmt.Errorf("adopting %s at %s: %w", w.Remote, c.Config.Alias, err)
	}
	cmd.Printf("%s at %s: %s\n", w.Remote, c.Config.Alias, told(registry.Entries()[w.Remote]))
	return nil
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
