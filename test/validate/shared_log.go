package validate

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// sharedLog is what one cluster holds of a shared topic.
type sharedLog struct {
	topic          *SharedTopic
	alias, id      string
	client         *kgo.Client
	committed, all map[int32]logread.Range
	again          []map[int64]bool // by partition, of the records that are home here: offsets of those that are there once more
}

func openLog(ctx context.Context, topic *SharedTopic, alias string) (*sharedLog, error) {
	l := &sharedLog{topic: topic, alias: alias, client: topic.Clusters[alias]}
	var err error
	if l.committed, err = logread.Bounds(ctx, l.client, topic.Name, logread.Committed); err != nil {
		return nil, err
	}
	if l.all, err = logread.Bounds(ctx, l.client, topic.Name, logread.Uncommitted); err != nil {
		return nil, err
	}
	l.id, err = logread.ClusterID(ctx, l.client)
	return l, err
}

func (l *sharedLog) name() string { return l.alias + "/" + l.topic.Name }

// atHome looks at what was produced here: each record once. It also counts records of which nobody knows where they were produced.
func (l *sharedLog) atHome(ctx context.Context) (Report, error) {
	report := Report{SourceTopic: l.name(), DestinationTopic: l.name()}
	n := len(l.committed)
	partitions := make([]Partition, n)
	l.again = make([]map[int64]bool, n)
	err := each(ctx, n, func(ctx context.Context, i int) (err error) {
		partitions[i].Partition = int32(i)
		l.again[i], err = l.repeated(ctx, &partitions[i])
		return err
	})
	for _, p := range partitions {
		report.add(p)
	}
	return report, err
}

func (l *sharedLog) repeated(ctx context.Context, into *Partition) (map[int64]bool, error) {
	at := l.committed[into.Partition]
	rounds := 1 + uint64(at.End-at.Start)/remembered
	return repeats(rounds, into, func(round uint64) stream {
		return l.read(ctx, into.Partition, logread.Committed, func(r *kgo.Record) (entry, bool) {
			home := l.topic.Home(r.Key, r.Value)
			if _, known := l.topic.Clusters[home]; !known && round == 0 {
				into.note(Example{Kind: Unexpected, SourceOffset: -1, DestinationOffset: r.Offset, Detail: "it was produced nowhere"})
			}
			return labelledOf(r), home == l.alias
		})
	})
}

func (l *sharedLog) read(ctx context.Context, partition int32, isolation logread.Isolation, want func(*kgo.Record) (entry, bool)) stream {
	bounds := l.all
	if isolation == logread.Committed {
		bounds = l.committed
	}
	return records(ctx, logread.New(l.client, l.topic.Name, partition, bounds[partition], isolation), want)
}

// at compares what was produced here with what another cluster has of it.
func (l *sharedLog) at(ctx context.Context, to *sharedLog) (Report, error) {
	report := Report{SourceTopic: l.name(), DestinationTopic: to.name()}
	n := max(len(l.committed), len(to.all)) // a partition that one side has not is empty there
	err := report.compare(ctx, n, func(ctx context.Context, number int32, into *Partition) *differ {
		d := newDiffer(l.produced(ctx, number, to.alias), to.arrived(ctx, number, l.alias), into)
		d.label = l.label(number)
		return d
	})
	return report, err
}

// produced is the records of a partition that were produced here and are promised at another cluster.
func (l *sharedLog) produced(ctx context.Context, partition int32, at string) stream {
	var from int64
	if l.topic.Promised != nil {
		from = l.topic.Promised(l.alias, at, partition)
	}
	var again map[int64]bool
	if int(partition) < len(l.again) {
		again = l.again[partition]
	}
	return l.read(ctx, partition, logread.Committed, func(r *kgo.Record) (entry, bool) {
		if r.Offset < from || again[r.Offset] || l.topic.Home(r.Key, r.Value) != l.alias {
			return entry{}, false
		}
		return labelledOf(r), true
	})
}

// arrived is the records of a partition that were produced at another cluster. What meshd writes is in no transaction, and nobody
// must have to read committed for it.
func (l *sharedLog) arrived(ctx context.Context, partition int32, from string) stream {
	return l.read(ctx, partition, logread.Uncommitted, func(r *kgo.Record) (entry, bool) {
		if l.topic.Home(r.Key, r.Value) != from {
			return entry{}, false
		}
		return labelledOf(r), true
	})
}

// label says what is wrong with the labels of records that were produced in a partition here.
func (l *sharedLog) label(partition int32) func(source, destination entry) string {
	if l.topic.Unstamped {
		return func(source, destination entry) string { return destination.label.touched(source.label) }
	}
	tag := topicHash(l.topic.Name)
	return func(source, destination entry) string {
		return destination.label.wrong(birth{cluster: l.id, topic: tag, epoch: source.epoch, partition: partition, offset: source.offset})
	}
}
