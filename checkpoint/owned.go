package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// Names of the topics that meshd owns.
const (
	TopicsTopic  = "meshd.topics"
	WritersTopic = "meshd.writers"
	NodesTopic   = "meshd.nodes"
	GroupsTopic  = "meshd.groups"
)

// ProgressTopic names the topic that holds the progress of what comes from origin.
func ProgressTopic(origin topology.Alias) string { return "meshd.progress." + string(origin) }

// OffsetsTopic names the topic that holds the offset maps of what comes from origin.
func OffsetsTopic(origin topology.Alias) string { return "meshd.offsets." + string(origin) }

// EnsureOwned makes sure that a compacted topic of meshd's exists with the wanted number of partitions.
func EnsureOwned(ctx context.Context, c *kafka.Cluster, brokers int, partitions int32, topics ...string) error {
	md, err := c.Admin.Metadata(ctx, topics...)
	if err != nil {
		return fmt.Errorf("looking for meshd's topics: %w", err)
	}
	for _, name := range topics {
		t, ok := md.Topics[name]
		switch {
		case !ok || errors.Is(t.Err, kerr.UnknownTopicOrPartition):
			err = createOwned(ctx, c, brokers, partitions, name)
		case t.Err != nil:
			err = t.Err
		case len(t.Partitions) != int(partitions):
			err = kafka.WithHint(fmt.Errorf("it has %d partitions, not %d", len(t.Partitions), partitions), "something else made it: delete it if nothing of meshd's is in it; meshd makes it anew")
		}
		if err != nil {
			return fmt.Errorf("preparing topic %s on cluster %s: %w", name, c.Config.Alias, err)
		}
	}
	return nil
}

func createOwned(ctx context.Context, c *kafka.Cluster, brokers int, partitions int32, name string) error {
	rf := c.Config.InternalReplicationFactor
	if rf == 0 {
		rf = min(3, brokers)
	}
	configs := map[string]*string{"cleanup.policy": new("compact"), "segment.bytes": new("4194304")}
	r, err := c.Admin.CreateTopic(ctx, partitions, int16(rf), configs, name) // r.Err is in err
	switch {
	case err == nil, errors.Is(err, kerr.TopicAlreadyExists):
		_, err = AwaitTopic(ctx, c, name)
		return err
	case kafka.Classify(err) == kafka.Denied:
		return kafka.WithHint(err, kafka.Grant(resourceOf(name), "Create", "Write", "Read", "Describe"))
	case errors.Is(err, kerr.InvalidReplicationFactor):
		return kafka.WithHint(kafka.Said(err, r.ErrMessage), "set internal_replication_factor of cluster "+string(c.Config.Alias)+" in the topology to at most its number of brokers")
	}
	return kafka.Said(err, r.ErrMessage)
}

// resourceOf is what a right on a topic is granted for: all of meshd's have one prefix.
func resourceOf(topic string) string {
	if strings.HasPrefix(topic, "meshd.") {
		return "--topic meshd. --resource-pattern-type prefixed"
	}
	return "--topic " + topic
}

// AwaitTopic returns when every partition of a new topic can be written to: brokers learn of it one after another.
func AwaitTopic(ctx context.Context, c *kafka.Cluster, name string) ([]kafka.Partition, error) {
	for {
		at, err := c.Locate(ctx, name)
		ps := at[name]
		if err == nil && len(ps) > 0 && !slices.ContainsFunc(ps, func(p kafka.Partition) bool { return p.Leader < 0 }) {
			return ps, nil
		}
		if kafka.Classify(err) == kafka.Denied {
			return nil, err
		}
		if serr := kafka.Sleep(ctx, leaderPoll); serr != nil {
			return nil, fmt.Errorf("waiting for the leaders of %s: %w", name, errors.Join(err, serr))
		}
	}
}
