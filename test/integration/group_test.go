package integration

import (
	"context"
	"fmt"
	"strings"
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
	c.verify(t, n)
	g := group{copyOf: c, name: kafkatest.UniqueTopic(t, "billing"), seen: map[string]int{}}
	g.consume(t, us, c.topic, n/2)
	g.awaitAt(t, eu)
	g.consume(t, eu, c.remote(), n/10)
	g.awaitAt(t, us)
	g.consume(t, us, c.topic, n-n/2-n/10)
	g.complete(t, n)
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

// awaitAt waits until the group would go on at a cluster with the first record, of each partition, that it has not read.
func (g *group) awaitAt(t *testing.T, s *site) {
	t.Helper()
	topic := g.topic
	if s == g.to {
		topic = g.remote()
	}
	log := byPartition(s.ReadAll(t, topic, logread.Committed))
	admin := kadm.NewClient(s.Client(t))
	await(t, fmt.Sprintf("group %s to stand at its place at %s", g.name, s.alias), func() (string, bool) {
		at, err := admin.FetchOffsets(t.Context(), g.name)
		if err != nil {
			return err.Error(), false
		}
		var wrong []string
		for p, records := range log {
			if why := g.misplaced(records, at, topic, p); why != "" {
				wrong = append(wrong, why)
			}
		}
		return strings.Join(wrong, "; "), len(wrong) == 0
	})
}

// misplaced says what is wrong with where the group stands in one partition; "" if it would read neither less nor more than what
// it has not read.
func (g *group) misplaced(records []*kgo.Record, at kadm.OffsetResponses, topic string, p int32) string {
	o, ok := at.Lookup(topic, p)
	if !ok || o.At < 0 {
		return fmt.Sprintf("partition %d: no commit", p)
	}
	var skipped, again int
	for _, r := range records {
		switch read := g.seen[string(r.Value)] > 0; {
		case !read && r.Offset < o.At:
			skipped++
		case read && r.Offset >= o.At:
			again++
		}
	}
	if skipped+again == 0 {
		return ""
	}
	return fmt.Sprintf("partition %d: at %d it would skip %d records and read %d again", p, o.At, skipped, again)
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
