package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/kafka"
)

// place is a partition of a topic at one cluster.
type place struct {
	topic     string
	partition int32
}

// entry is a record in a log.
type entry struct {
	id     id
	offset int64
}

// logs is what lies in a cluster: the orders in every partition that has some, in the order of their offsets.
type logs map[place][]entry

// readLogs reads every topic of a cluster from its first offset to the end that it has now, but for meshd's own and Kafka's.
func readLogs(ctx context.Context, c *kafka.Cluster) (logs, error) {
	starts, ends, err := bounds(ctx, c)
	if err != nil {
		return nil, err
	}
	from, open := map[string]map[int32]kgo.Offset{}, 0
	ends.Each(func(e kadm.ListedOffset) {
		start, _ := starts.Lookup(e.Topic, e.Partition)
		if start.Offset >= e.Offset {
			return
		}
		if from[e.Topic] == nil {
			from[e.Topic] = map[int32]kgo.Offset{}
		}
		from[e.Topic][e.Partition] = kgo.NewOffset().At(start.Offset)
		open++
	})
	c.Client.AddConsumePartitions(from)
	out := logs{}
	for open > 0 {
		fetches := c.Client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("reading cluster %s: %w", c.Config.Alias, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { open -= out.add(r, ends) })
	}
	return out, nil
}

// add takes a record, and says how many logs end with it.
func (l logs) add(r *kgo.Record, ends kadm.ListedOffsets) int {
	end, _ := ends.Lookup(r.Topic, r.Partition)
	if i, ok := idOf(r); ok && r.Offset < end.Offset && !r.Attrs.IsControl() {
		at := place{r.Topic, r.Partition}
		l[at] = append(l[at], entry{i, r.Offset})
	}
	if r.Offset == end.Offset-1 {
		return 1
	}
	return 0
}

// auditing are the options of a client for readLogs. Control records are kept, for a log may end with one.
func auditing() []kgo.Opt {
	return []kgo.Opt{kgo.KeepControlRecords(), kgo.FetchMaxWait(100e6)}
}

func bounds(ctx context.Context, c *kafka.Cluster) (starts, ends kadm.ListedOffsets, err error) {
	listed, err := c.Admin.ListTopics(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("listing topics of cluster %s: %w", c.Config.Alias, err)
	}
	names := slices.DeleteFunc(listed.Names(), func(name string) bool { return strings.HasPrefix(name, "meshd.") })
	if starts, err = c.Admin.ListStartOffsets(ctx, names...); err == nil {
		ends, err = c.Admin.ListEndOffsets(ctx, names...)
	}
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("listing offsets of cluster %s: %w", c.Config.Alias, err)
	}
	return starts, ends, nil
}

// below are the records that lie before the places where a group stands.
func (l logs) below(commits kadm.OffsetResponses) map[id]bool {
	out := map[id]bool{}
	for at, entries := range l {
		commit, ok := commits.Lookup(at.topic, at.partition)
		for _, e := range entries {
			if ok && e.offset < commit.At {
				out[e.id] = true
			}
		}
	}
	return out
}
