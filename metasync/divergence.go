package metasync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// divergence says, if so, that a shared topic is compacted, at its source or at the destination. Each cluster has the records of several
// in an order of its own: the last one of a key need not be the same everywhere, and compaction leaves nothing but that one.
func (s *Syncer) divergence(ctx context.Context, w Wish, have int) error {
	if !w.Several || w.Settings.Divergence == topology.DivergenceAllow {
		return nil
	}
	if s.diverging == nil {
		s.diverging = map[string]aligned{}
	}
	last, looked := s.diverging[w.Remote]
	if looked && time.Since(last.at) < compactedFor {
		return last.err
	}
	err := s.lookForCompaction(ctx, w, have)
	if ctx.Err() == nil {
		s.diverging[w.Remote] = aligned{time.Now(), err}
	}
	return err
}

const compactedFor = time.Minute // is how old the answer may be

func (s *Syncer) lookForCompaction(ctx context.Context, w Wish, have int) error {
	source, err := describe(ctx, s.Source, w.At)
	if err != nil {
		return err
	}
	if compacted(source) {
		return diverges(w.Topic, s.Source.Config.Alias)
	}
	if have == 0 {
		return nil
	}
	here, err := describe(ctx, s.Destination, w.Remote)
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition): // deleted a moment ago
		return nil
	case err == nil && compacted(here):
		err = diverges(w.Topic, s.Destination.Config.Alias)
	}
	return err
}

func compacted(configs []kadm.Config) bool {
	for _, c := range configs {
		if c.Key == "cleanup.policy" && c.Value != nil && strings.Contains(*c.Value, "compact") {
			return true
		}
	}
	return false
}

func diverges(topic string, at topology.Alias) error {
	return kafka.Because(kafka.Divergence, fmt.Sprintf("topic %s is compacted at cluster %s, and several clusters write it: the last value of a key may differ between them for good", topic, at),
		"set divergence: allow on the link if no key is written at two clusters, or if that is all right; or use naming: prefix")
}
