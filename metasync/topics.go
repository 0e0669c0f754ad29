package metasync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

const dynamicTopicConfig = kmsg.ConfigSourceDynamicTopicConfig

// Wish is the copy of one topic as it should be.
type Wish struct {
	Topic      string // at its origin
	At         string // at the source
	Remote     string // at the destination
	Origin     topology.Alias
	Partitions int
	Settings   topology.LinkSettings
	First      bool // found when the flow began: Settings.Start applies; what appears later is copied from its beginning
	Shared     bool // the copy is the topic of the same name, in which applications write too
	Several    bool // and records of several clusters are in it
}

// Syncer makes the topics of one pair exist.
type Syncer struct {
	Source, Destination *kafka.Cluster
	Registry            *checkpoint.Topics // of the destination; read
	Log                 *slog.Logger

	aligned   map[string]aligned // by copy
	diverging map[string]aligned
}

// aligned is how it went when the configs of a copy were looked at.
type aligned struct {
	at  time.Time
	err error
}

// Ensure makes the copy exist and returns its entry in the registry. have is how many partitions it has, 0 if it does not exist.
func (s *Syncer) Ensure(ctx context.Context, w Wish, have int) (checkpoint.TopicEntry, error) {
	if w.Shared {
		return s.ensureShared(ctx, w, have)
	}
	entry, known := s.Registry.Entries()[w.Remote]
	switch {
	case have == 0:
		return s.create(ctx, w, entry, known)
	case known && entry.Kind == checkpoint.Intent:
		return s.confirm(ctx, w, entry)
	case !known && w.Settings.Remote == "adopt":
		return s.adopt(ctx, w)
	case !known || entry.Kind == checkpoint.Local:
		return entry, kafka.Reason{
			Code: kafka.Unclaimed, Text: fmt.Sprintf("topic %s is at the destination, but meshd did not make it", w.Remote),
			Hint: fmt.Sprintf("to take it over, run meshd adopt %s --topology FILE --from %s --at %s, or set remote: adopt on the link; or exclude %s from the link",
				w.Topic, w.Origin, s.Destination.Config.Alias, w.Topic),
		}
	case have < w.Partitions && w.Settings.SyncPartitions:
		return entry, s.grow(ctx, w, have)
	}
	return entry, nil
}

// create writes the intent, creates, and confirms. A copy that the registry knows and that is gone was deleted by a person: it
// comes back only if nothing was ever copied into it.
func (s *Syncer) create(ctx context.Context, w Wish, entry checkpoint.TopicEntry, known bool) (checkpoint.TopicEntry, error) {
	if known && entry.Kind != checkpoint.Intent {
		return entry, kafka.Reason{
			Code: kafka.DestinationMissing, Text: fmt.Sprintf("topic %s was deleted at the destination", w.Remote),
			Hint: "a copy that was deleted is not made again: exclude " + w.Topic + " from the link",
		}
	}
	if !known {
		entry = checkpoint.TopicEntry{Kind: checkpoint.Intent, Origin: w.Origin, Topic: w.Topic, Start: start(w), Initial: w.Partitions}
		if err := s.Registry.Put(ctx, w.Remote, entry); err != nil {
			return entry, err
		}
	}
	configs, rf, err := s.blueprint(ctx, w)
	if err != nil {
		return entry, err
	}
	err = s.createTopic(ctx, w, rf, configs)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return s.confirm(ctx, w, entry) // another node of this mesh was faster: the intent is in the registry
	}
	if err != nil {
		err = fmt.Errorf("creating topic %s with %d partitions and replication factor %d: %w", w.Remote, w.Partitions, rf, err)
		return entry, kafka.WithHint(err, notCreated(w, err))
	}
	s.Log.Info("topic created", slog.String("topic", w.Remote), slog.Int("partitions", w.Partitions), slog.Int("replication_factor", int(rf)))
	return s.confirm(ctx, w, entry)
}

// notCreated says what to do about a topic that could not be created.
func notCreated(w Wish, err error) string {
	switch {
	case errors.Is(err, kerr.InvalidTopicException):
		return fmt.Sprintf("look for a topic there whose name differs from %s in . and _ alone, and delete it; or exclude %s from the link", w.Remote, w.Topic)
	case errors.Is(err, kerr.InvalidReplicationFactor):
		return "set replication_factor of the link to at most the number of brokers at the destination"
	case errors.Is(err, kerr.InvalidConfig):
		return "name the config that the destination refuses in configs.exclude of the link"
	case errors.Is(err, kerr.PolicyViolation):
		return fmt.Sprintf("the destination's create.topic.policy.class.name refuses it: change the policy or what it complains of, or exclude %s from the link", w.Topic)
	case kafka.Classify(err) == kafka.Denied:
		return kafka.Grant("--topic "+w.Remote, "Create", "Write", "Read", "Describe", "DescribeConfigs", "AlterConfigs", "Alter")
	case kafka.Hint(err) != "":
		return kafka.Hint(err)
	}
	return fmt.Sprintf("see the log of the destination's controller, or exclude %s from the link; it is tried again", w.Topic)
}

// createTopic tries with the timestamp bounds, which brokers before 3.6 do not know, and then without.
func (s *Syncer) createTopic(ctx context.Context, w Wish, rf int16, configs map[string]string) error {
	all := maps.Clone(base)
	maps.Copy(all, configs)
	err := s.createWith(ctx, w, rf, all)
	if errors.Is(err, kerr.InvalidConfig) {
		delete(all, "message.timestamp.before.max.ms")
		delete(all, "message.timestamp.after.max.ms")
		err = s.createWith(ctx, w, rf, all)
	}
	return err
}

func (s *Syncer) createWith(ctx context.Context, w Wish, rf int16, configs map[string]string) error {
	cs := make(map[string]*string, len(configs))
	for k, v := range configs {
		cs[k] = new(v)
	}
	r, err := s.Destination.Admin.CreateTopic(ctx, int32(w.Partitions), rf, cs, w.Remote) // r.Err is in err
	return kafka.Said(err, r.ErrMessage)
}

// blueprint reads configs and replication factor for a copy.
func (s *Syncer) blueprint(ctx context.Context, w Wish) (map[string]string, int16, error) {
	configs := map[string]string{}
	if w.Settings.SyncConfigs {
		have, err := describe(ctx, s.Source, w.At)
		if err != nil {
			return nil, 0, err
		}
		configs = wanted(have, w.Settings.ConfigsExclude)
	}
	rf, err := s.replicationFactor(ctx, w)
	return configs, rf, err
}

func describe(ctx context.Context, c *kafka.Cluster, topic string) ([]kadm.Config, error) {
	x := describeAll(ctx, c, []string{topic})[topic]
	return x.configs, x.err
}

// described are the configs of a topic, or why they could not be read.
type described struct {
	configs []kadm.Config
	err     error
}

const atOnce = 250 // topics in one question

func describeAll(ctx context.Context, c *kafka.Cluster, topics []string) map[string]described {
	rs, err := c.Admin.DescribeTopicConfigs(ctx, topics...)
	out := make(map[string]described, len(topics))
	for _, topic := range topics {
		one := err
		if one == nil {
			var r kadm.ResourceConfig
			if r, one = rs.On(topic, nil); one == nil {
				if one = r.Err; one == nil {
					out[topic] = described{configs: r.Configs}
					continue
				}
			}
		}
		out[topic] = described{err: allowing(fmt.Errorf("reading the configs of topic %s on cluster %s: %w", topic, c.Config.Alias, one), topic, "DescribeConfigs")}
	}
	return out
}

func namesOf(ws []Wish) (at, remote []string) {
	for _, w := range ws {
		at, remote = append(at, w.At), append(remote, w.Remote)
	}
	return at, remote
}

// allowing gives an error that is for want of a right the hint to grant it.
func allowing(err error, topic string, operations ...string) error {
	if kafka.Classify(err) != kafka.Denied {
		return err
	}
	return kafka.WithHint(err, kafka.Grant("--topic "+topic, operations...))
}

// replicationFactor is that of the rule, capped by the brokers that are there. -1 leaves it to the broker.
func (s *Syncer) replicationFactor(ctx context.Context, w Wish) (int16, error) {
	rf := w.Settings.ReplicationFactor
	if rf < 0 {
		return -1, nil
	}
	if rf == 0 {
		md, err := s.Source.Admin.Metadata(ctx, w.At)
		if err != nil {
			return 0, fmt.Errorf("reading the replication factor of %s: %w", w.Topic, err)
		}
		rf = max(1, md.Topics[w.At].Partitions.NumReplicas())
	}
	md, err := s.Destination.Admin.BrokerMetadata(ctx)
	if err != nil {
		return 0, fmt.Errorf("counting the brokers of cluster %s: %w", s.Destination.Config.Alias, err)
	}
	return int16(max(1, min(rf, len(md.Brokers)))), nil
}

// confirm notes the id of the topic that now exists.
func (s *Syncer) confirm(ctx context.Context, w Wish, entry checkpoint.TopicEntry) (checkpoint.TopicEntry, error) {
	at, err := checkpoint.AwaitTopic(ctx, s.Destination, w.Remote)
	if err != nil {
		return entry, err
	}
	entry.Kind, entry.TopicID = checkpoint.Created, checkpoint.TopicID(at[0].TopicID)
	return entry, s.Registry.Put(ctx, w.Remote, entry)
}

func (s *Syncer) grow(ctx context.Context, w Wish, have int) error {
	rs, err := s.Destination.Admin.UpdatePartitions(ctx, w.Partitions, w.Remote)
	if err == nil {
		err = kafka.Said(rs[w.Remote].Err, rs[w.Remote].ErrMessage)
	}
	if err != nil && !errors.Is(err, kerr.InvalidPartitions) { // another node was faster
		err = fmt.Errorf("growing topic %s from %d to %d partitions: %w", w.Remote, have, w.Partitions, err)
		return allowing(err, w.Remote, "Alter")
	}
	s.Log.Info("topic grown", slog.String("topic", w.Remote), slog.Int("from", have), slog.Int("to", w.Partitions))
	return nil
}

// Align brings the configs of copies in line with their source, once every interval. In between it says again how that went. Of shared
// topics it says where they differ, and changes nothing: of equals neither is the right one, and each would be set by the other's link.
// What it returns is by the name of the copy.
func (s *Syncer) Align(ctx context.Context, ws []Wish, every time.Duration) map[string]error {
	if s.aligned == nil {
		s.aligned = map[string]aligned{}
	}
	out, due := map[string]error{}, []Wish(nil)
	for _, w := range ws {
		switch last, tried := s.aligned[w.Remote]; {
		case !w.Settings.SyncConfigs:
		case tried && time.Since(last.at) < every:
			out[w.Remote] = last.err
		default:
			due = append(due, w)
		}
	}
	for some := range slices.Chunk(due, atOnce) {
		at, remote := namesOf(some)
		source, here := describeAll(ctx, s.Source, at), describeAll(ctx, s.Destination, remote)
		for _, w := range some {
			err := s.align(ctx, w, source[w.At], here[w.Remote])
			if ctx.Err() != nil {
				return out
			}
			s.aligned[w.Remote], out[w.Remote] = aligned{time.Now(), err}, err
		}
	}
	return out
}

func (s *Syncer) align(ctx context.Context, w Wish, source, remote described) error {
	if err := cmp.Or(source.err, remote.err); err != nil {
		return err
	}
	changes := differing(wanted(source.configs, w.Settings.ConfigsExclude), remote.configs)
	switch {
	case w.Shared:
		return s.differ(w, source.configs, changes, remote.configs)
	case len(changes) == 0:
		return nil
	}
	rs, err := s.Destination.Admin.AlterTopicConfigs(ctx, changes, w.Remote)
	if err == nil {
		_, err = rs.On(w.Remote, func(r *kadm.AlterConfigsResponse) error { return kafka.Said(r.Err, r.ErrMessage) })
	}
	if err != nil {
		return allowing(fmt.Errorf("setting configs of topic %s: %w", w.Remote, err), w.Remote, "AlterConfigs")
	}
	s.Log.Info("configs aligned", slog.String("topic", w.Remote), slog.Int("changed", len(changes)))
	return nil
}

func start(w Wish) string {
	switch st := w.Settings.Start; {
	case !w.First || !st.Latest && st.Time.IsZero():
		return "earliest"
	case st.Latest:
		return "latest"
	default:
		return st.Time.UTC().Format(time.RFC3339Nano)
	}
}

// StartOf is where the copy of a partition began, by the entry of its topic.
func StartOf(e checkpoint.TopicEntry, partition int32) (topology.Start, error) {
	switch {
	case e.Start == "" || e.Start == "earliest" || int(partition) >= e.Initial:
		return topology.Start{}, nil
	case e.Start == "latest":
		return topology.Start{Latest: true}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, e.Start)
	if err != nil {
		return topology.Start{}, fmt.Errorf("reading the start of %s in the registry: %w", e.Topic, err)
	}
	return topology.Start{Time: t}, nil
}
