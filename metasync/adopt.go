package metasync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/mm2"
	"github.com/meshd/meshd/kafka"
)

// adopt takes over a copy that MM2 made: copying goes on at MM2's own position, so that nothing comes twice and nothing is left
// out. MM2 must have stopped copying it. A copy of which MM2 knows no position is refused: where it ends at the source can't be told.
func (s *Syncer) adopt(ctx context.Context, w Wish) (checkpoint.TopicEntry, error) {
	positions, err := Positions(ctx, s.Destination, string(w.Origin), w.Topic)
	if err != nil {
		return checkpoint.TopicEntry{}, err
	}
	at, err := s.Destination.Locate(ctx, w.Remote)
	if err != nil {
		return checkpoint.TopicEntry{}, err
	}
	for _, p := range at[w.Remote] {
		if _, ok := positions[p.Number]; ok {
			continue
		}
		empty, err := isEmpty(ctx, s.Destination, p)
		if err != nil {
			return checkpoint.TopicEntry{}, err
		}
		if !empty {
			return checkpoint.TopicEntry{}, kafka.Because(kafka.Unclaimed,
				fmt.Sprintf("%s can't be adopted: it holds records, and %s has no position for it", p, mm2.OffsetsTopic(string(w.Origin))),
				"delete the topic to copy it anew, or declare it local with remote: local")
		}
	}
	entry := checkpoint.TopicEntry{Kind: checkpoint.Adopted, Origin: w.Origin, Topic: w.Topic, Positions: positions, Start: "earliest"}
	if ps := at[w.Remote]; len(ps) > 0 {
		entry.TopicID = checkpoint.TopicID(ps[0].TopicID)
	}
	s.Log.Info("topic adopted", slog.String("topic", w.Remote), slog.Any("positions", positions))
	return entry, s.Registry.Put(ctx, w.Remote, entry)
}

func isEmpty(ctx context.Context, c *kafka.Cluster, p kafka.Partition) (bool, error) {
	ends, err := c.Offsets(ctx, []kafka.Partition{p}, kafka.End)
	if err == nil {
		err = ends[0].Err
	}
	if err != nil {
		return false, fmt.Errorf("looking whether %s is empty: %w", p, err)
	}
	return ends[0].At == 0, nil
}

// Positions reads how far MM2 has copied a topic of the cluster that it calls source: by partition, the source offset of the
// first record that it has not copied. Partitions of which it has noted nothing are left out.
func Positions(ctx context.Context, c *kafka.Cluster, source, topic string) (map[int32]int64, error) {
	name := mm2.OffsetsTopic(source)
	at, err := c.Locate(ctx, name)
	if err != nil {
		return nil, err
	}
	out := map[int32]int64{}
	for n := range at[name] {
		t := checkpoint.Table{Cluster: c, Topic: name, Partition: int32(n), Committed: true, Apply: func(r *kgo.Record) error {
			return note(out, r, source, topic)
		}}
		if err := t.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func note(out map[int32]int64, r *kgo.Record, source, topic string) error {
	p, err := mm2.DecodePosition(r.Key, r.Value)
	switch {
	case errors.Is(err, mm2.ErrOtherConnector):
		return nil
	case err != nil:
		return err
	case p.Cluster != source || p.Topic != topic:
		return nil
	case p.Next == mm2.NoPosition:
		delete(out, p.Partition)
	default:
		out[p.Partition] = p.Next
	}
	return nil
}

// Adopt decides about a topic that looks like a copy and that meshd did not make: it becomes meshd's, or is declared local.
func (s *Syncer) Adopt(ctx context.Context, w Wish, local bool) error {
	if err := s.Registry.Refresh(ctx); err != nil {
		return err
	}
	if e, ok := s.Registry.Entries()[w.Remote]; ok && e.Kind != checkpoint.Local {
		return nil // it is meshd's already: safe to ask twice
	}
	if local {
		return s.Registry.Put(ctx, w.Remote, checkpoint.TopicEntry{Kind: checkpoint.Local})
	}
	_, err := s.adopt(ctx, w)
	return err
}
