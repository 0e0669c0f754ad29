package metasync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// divergence says, if so, that a shared topic is compacted, at its source or at the destination. Each cluster has the records of several
// in an order of its own: the last one of a key need not be the same everywhere, and compaction leaves nothing but that one.
func (s *Syncer) divergence(ctx context.Context, w Wish) error {
	if !w.Several || w.Settings.Divergence == topology.DivergenceAllow {
		return nil
	}
	last, looked := s.diverging[w.Remote]
	if looked && time.Since(last.at) < compactedFor {
		return last.err
	}
	return s.LookForCompaction(ctx, []Wish{w})
}

const compactedFor = time.Minute // is how old the answer may be

// LookForCompaction looks at many topics at once, of which Ensure then knows; those at which it looked lately are left out. It returns what
// was found of the last one.
func (s *Syncer) LookForCompaction(ctx context.Context, ws []Wish) (last error) {
	if s.diverging == nil {
		s.diverging = map[string]aligned{}
	}
	ws = slices.DeleteFunc(slices.Clone(ws), func(w Wish) bool {
		was, looked := s.diverging[w.Remote]
		return !w.Several || w.Settings.Divergence == topology.DivergenceAllow || looked && time.Since(was.at) < compactedFor
	})
	for some := range slices.Chunk(ws, atOnce) {
		at, to := namesOf(some)
		source, here := describeAll(ctx, s.Source, at), describeAll(ctx, s.Destination, to)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, w := range some {
			last = s.compaction(w, source[w.At], here[w.Remote])
			if was, looked := s.diverging[w.Remote]; looked && last != nil && kafka.Classify(last) == kafka.Unreachable {
				last = was.err // until it can be asked
			}
			s.diverging[w.Remote] = aligned{time.Now(), last}
		}
	}
	return last
}

func (s *Syncer) compaction(w Wish, source, here described) error {
	switch {
	case source.err != nil:
		return source.err
	case compacted(source.configs):
		return diverges(w.Topic, s.Source.Config.Alias)
	case errors.Is(here.err, kerr.UnknownTopicOrPartition): // not made yet, or deleted a moment ago
		return nil
	case here.err == nil && compacted(here.configs):
		return diverges(w.Topic, s.Destination.Config.Alias)
	}
	return here.err
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
