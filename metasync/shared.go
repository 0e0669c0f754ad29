package metasync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
)

// ensureShared makes a topic exist that has one name everywhere, and returns since when it takes the origin's records.
func (s *Syncer) ensureShared(ctx context.Context, w Wish, have int) (checkpoint.TopicEntry, error) {
	from, begun := s.Registry.Entries()[checkpoint.FromKey(w.Topic, w.Origin)]
	topic, known := s.Registry.Entries()[w.Topic]
	if known && topic.Kind != checkpoint.Shared {
		return from, kafka.Because(kafka.Unclaimed, fmt.Sprintf("topic %s is known at the destination as a copy of %s from %s", w.Topic, topic.Topic, topic.Origin),
			"a topic has one naming: exclude it from the link, or give it another name")
	}
	err := s.divergence(ctx, w)
	switch {
	case err != nil:
	case have == 0 && s.begun(w.Topic):
		err = kafka.Because(kafka.DestinationMissing, fmt.Sprintf("topic %s was deleted at the destination", w.Topic), "a topic that was deleted is not made again: exclude it from the link")
	case have == 0:
		err = s.createShared(ctx, w)
	case have < w.Partitions && w.Settings.SyncPartitions:
		err = s.grow(ctx, w, have)
	}
	if err != nil || begun {
		return from, err
	}
	from = checkpoint.TopicEntry{Kind: checkpoint.Shared, Origin: w.Origin, Topic: w.Topic, Start: start(w), Initial: w.Partitions}
	return from, s.Registry.Put(ctx, checkpoint.FromKey(w.Topic, w.Origin), from)
}

// begun says whether the topic has taken records of any origin.
func (s *Syncer) begun(topic string) bool {
	for key := range s.Registry.Entries() {
		if strings.HasPrefix(key, checkpoint.FromKey(topic, "")) {
			return true
		}
	}
	return false
}

// createShared makes the topic as it is at the source. That it is there already is as good: another node was faster, or an application.
func (s *Syncer) createShared(ctx context.Context, w Wish) error {
	configs, rf, err := s.blueprint(ctx, w)
	if err != nil {
		return err
	}
	err = s.createTopic(ctx, w, rf, configs)
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists):
		return nil
	case err != nil:
		err = fmt.Errorf("creating topic %s with %d partitions and replication factor %d: %w", w.Topic, w.Partitions, rf, err)
		return kafka.WithHint(err, notCreated(w, err))
	}
	s.Log.Info("topic created", slog.String("topic", w.Topic), slog.Int("partitions", w.Partitions), slog.Int("replication_factor", int(rf)))
	_, err = checkpoint.AwaitTopic(ctx, s.Destination, w.Topic)
	return err
}
