package integration

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// A group reads half of a topic, continues at the other cluster at the exact record, and goes home and continues there.
func TestGroupWanders(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "orders")}
	us.CreateTopic(t, c.topic, 8)
	m := newMesh(t, link("us, eu", c.topic), sites...)
	n := pick(10_000, 100_000)
	produceWithGaps(t, us, c.topic, n)
	m.startAll(t)
	g := group{copyOf: c, name: kafkatest.UniqueTopic(t, "billing"), seen: map[string]int{}}
	g.consume(t, us, c.topic, n/2)
	g.awaitAt(t, eu)
	g.consume(t, eu, c.remote(), n/10)
	g.awaitAt(t, us)
	g.consume(t, us, c.topic, n-n/2-n/10)
	g.complete(t, n)
	c.verify(t, n)
	t.Logf("%d records at us, %d at eu, the rest at us: each once", n/2, n/10)
}

// group is a consumer group on its way, and what it has read.
type group struct {
	copyOf
	name string
	seen map[string]int // times, by value
}

// produceWithGaps writes records with values of their own; a tenth is transactional, so that offsets have gaps.
func produceWithGaps(t *testing.T, s *site, topic string, n int) {
	t.Helper()
	for i, w := range []kafkatest.Workload{
		{Records: n / 2}, {Records: n / 20, Transactions: true}, {Records: n / 4}, {Records: n / 20, Transactions: true}, {Records: n - n/2 - 2*(n/20) - n/4},
	} {
		w.Seed, w.Partitions, w.Size = uint64(10*i), 8, 60
		s.Produce(t, topic, w)
	}
}

// consume joins the group at a cluster, reads so many records, commits just these, and leaves.
func (g *group) consume(t *testing.T, s *site, topic string, n int) {
	t.Helper()
	client := s.Client(t, kgo.ConsumerGroup(g.name), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for left := n; left > 0; {
		rs := client.PollRecords(ctx, left).Records()
		if ctx.Err() != nil {
			t.Fatalf("%s read %d of %d records at %s in %s", g.name, n-left, n, s.alias, patience)
		}
		left -= len(rs)
		for _, r := range rs {
			g.seen[string(r.Value)]++
		}
		if err := client.CommitRecords(ctx, rs...); err != nil {
			t.Fatalf("committing %s at %s: %v", g.name, s.alias, err)
		}
	}
	client.Close()
}

// awaitAt waits until the group stands at a cluster at its first unread record in each partition.
func (g *group) awaitAt(t *testing.T, s *site) {
	t.Helper()
	topic := g.topic
	if s == g.to {
		topic = g.remote()
	}
	want := g.expected(t, s, topic)
	admin := kadm.NewClient(s.Client(t))
	await(t, fmt.Sprintf("group %s to stand at its place at %s", g.name, s.alias), func() (string, bool) {
		got := map[int32]int64{}
		rs, err := admin.FetchOffsets(t.Context(), g.name)
		if err != nil {
			return err.Error(), false
		}
		rs.Each(func(r kadm.OffsetResponse) {
			if r.Topic == topic {
				got[r.Partition] = r.At
			}
		})
		return fmt.Sprintf("%v, want %v", got, want), maps.Equal(got, want)
	})
}

// expected is, of each partition, the offset of the first record that the group has not read; after the last record where it has
// read all.
func (g *group) expected(t *testing.T, s *site, topic string) map[int32]int64 {
	t.Helper()
	want := map[int32]int64{}
	done := map[int32]bool{}
	for _, r := range s.ReadAll(t, topic, logread.Committed) {
		if done[r.Partition] {
			continue
		}
		want[r.Partition] = r.Offset
		if done[r.Partition] = g.seen[string(r.Value)] == 0; !done[r.Partition] {
			want[r.Partition]++
		}
	}
	return want
}

func (g *group) complete(t *testing.T, n int) {
	t.Helper()
	var twice int
	for _, times := range g.seen {
		if times > 1 {
			twice++
		}
	}
	if len(g.seen) != n || twice > 0 {
		t.Errorf("%s read %d different records of %d, %d of them more than once", g.name, len(g.seen), n, twice)
	}
}
