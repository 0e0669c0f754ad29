package kafkatest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest/logread"
)

var (
	topics    atomic.Int64
	topicRune = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)
)

// UniqueTopic returns a name that no other test of this run takes. It has no dot.
func UniqueTopic(t testing.TB, base string) string {
	return fmt.Sprintf("%s-%s-%d", base, topicRune.ReplaceAllString(t.Name(), "-"), topics.Add(1))
}

// CreateTopic makes a topic with the cluster's default replication, and returns when every partition has a leader. Configs are
// pairs of key and value.
func (c *Cluster) CreateTopic(t testing.TB, topic string, partitions int32, configs ...string) {
	t.Helper()
	set := make(map[string]*string)
	for i := 0; i+1 < len(configs); i += 2 {
		set[configs[i]] = &configs[i+1]
	}
	client := c.Client(t)
	response, err := kadm.NewClient(client).CreateTopic(t.Context(), partitions, -1, set, topic)
	if err := errors.Join(err, response.Err); err != nil {
		t.Fatalf("creating topic %s on %s: %v %s", topic, c.alias, err, response.ErrMessage)
	}
	c.awaitLeaders(t, client, topic, int(partitions))
}

// awaitLeaders waits: a broker answers that a topic was made before it knows of it itself.
func (c *Cluster) awaitLeaders(t testing.TB, client *kgo.Client, topic string, partitions int) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		bounds, err := logread.Bounds(t.Context(), client, topic, logread.Uncommitted)
		if err == nil && len(bounds) == partitions {
			return
		}
		<-tick.C
	}
	t.Fatalf("topic %s on %s has no leaders after 30 s", topic, c.alias)
}

// ReadAll returns every record of a topic below the end that it has now, by partition and offset.
func (c *Cluster) ReadAll(t testing.TB, topic string, isolation logread.Isolation) []*kgo.Record {
	t.Helper()
	client := c.Client(t)
	bounds, err := logread.Bounds(t.Context(), client, topic, isolation)
	if err != nil {
		t.Fatal(err)
	}
	var all []*kgo.Record
	for partition, bounds := range bounds {
		reader := logread.New(client, topic, partition, bounds, isolation)
		for {
			records, err := reader.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, records...)
		}
	}
	slices.SortFunc(all, func(a, b *kgo.Record) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return all
}
