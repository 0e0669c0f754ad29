package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/test/validate"
)

// identity is a link between all sites, at each of which the topics have one name.
func identity(aliases string, topics ...string) string {
	return link(aliases, topics...) + "\n    naming: identity"
}

// around is a link between a hub and each of its spokes.
func around(hub, spokes string, topics ...string) string {
	return fmt.Sprintf("  - between: {hub: %s, spokes: [%s]}\n    topics: {include: [%s]}", hub, spokes, quoted(topics))
}

// common is a topic that several sites have under one name, and all write to.
type common struct {
	topic     string
	sites     []*site
	unstamped bool
	promised  func(origin, at string, partition int32) int64
}

// newCommon makes the topic at every site.
func newCommon(t testing.TB, partitions int32, sites ...*site) common {
	t.Helper()
	c := common{topic: kafkatest.UniqueTopic(t, "orders"), sites: sites}
	for _, s := range sites {
		s.CreateTopic(t, c.topic, partitions)
	}
	return c
}

// workload is one of a site's. No two of those that a test gives another seed have a record in common.
func (c common) workload(s *site, w kafkatest.Workload) kafkatest.Workload {
	w.At, w.Seed = s.alias, 100*w.Seed+2 // transactions take the next seed for what they abort
	if w.Partitions == 0 {
		w.Partitions = 8
	}
	return w
}

// load writes at every site, so many records a second, and as many as the workload has.
func (c common) load(t testing.TB, w kafkatest.Workload, perSecond int) loads {
	t.Helper()
	all := loads{}
	for _, s := range c.sites {
		all[s.alias] = startLoad(t, s, c.topic, c.workload(s, w), perSecond)
	}
	return all
}

// loads are those of the sites, by alias.
type loads map[string]*load

// stop ends them, and returns how many records are acknowledged.
func (ls loads) stop(t testing.TB) map[string]int {
	t.Helper()
	for _, l := range ls {
		l.halt()
	}
	return ls.wait(t)
}

func (ls loads) wait(t testing.TB) map[string]int {
	t.Helper()
	acked := map[string]int{}
	for alias, l := range ls {
		acked[alias] = l.wait(t)
	}
	return acked
}

func (c common) shared(t testing.TB) validate.SharedTopic {
	t.Helper()
	topic := validate.SharedTopic{
		Name: c.topic, Clusters: map[string]*kgo.Client{}, Home: kafkatest.HomeOf, Unstamped: c.unstamped, Promised: c.promised,
	}
	for _, s := range c.sites {
		topic.Clusters[s.alias] = s.Client(t)
	}
	return topic
}

// judge waits until all has arrived everywhere, or something is wrong that time does not heal.
func (c common) judge(t testing.TB, within time.Duration) validate.SharedReport {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	report, err := validate.UntilShared(ctx, c.shared(t))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// verify is judge of what must be in order, with so many records produced at each site.
func (c common) verify(t testing.TB, produced map[string]int) {
	t.Helper()
	report := c.judge(t, 2*patience)
	if !report.OK() {
		t.Error(report)
	}
	var said []string
	for _, s := range c.sites {
		n := report.Produced[s.alias]
		said = append(said, fmt.Sprintf("%d of %s", n, s.alias))
		if n != int64(produced[s.alias]) {
			t.Errorf("%s holds %d committed records of its own, not %d", s.alias, n, produced[s.alias])
		}
	}
	t.Logf("%s: records compared equal at %d clusters: %s", c.topic, len(c.sites), strings.Join(said, ", "))
}

// tally counts what there is at a site, by where it was produced.
type tally struct {
	topic string
	site  *site
	mu    sync.Mutex
	n     map[string]int
}

// tally begins to count at every site.
func (c common) tally(t testing.TB) map[string]*tally {
	t.Helper()
	all := map[string]*tally{}
	for _, s := range c.sites {
		all[s.alias] = startTally(t, s, c.topic)
	}
	return all
}

func startTally(t testing.TB, s *site, topic string) *tally {
	t.Helper()
	y := &tally{topic: topic, site: s, n: map[string]int{}}
	consume(t, s, topic, func(r *kgo.Record) {
		y.mu.Lock()
		defer y.mu.Unlock()
		y.n[kafkatest.HomeOf(r.Key, r.Value)]++
	})
	return y
}

// consume hands over a topic's records as they come, of one that may not be there yet, until the test ends.
func consume(t testing.TB, s *site, topic string, take func(*kgo.Record)) {
	t.Helper()
	client := s.Client(t, kgo.ConsumeTopics(topic), kgo.MetadataMaxAge(500*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.UnknownTopicRetries(-1), kgo.FetchMaxWait(200*time.Millisecond))
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(take)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

func (y *tally) of(home string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.n[home]
}

// awaitMore waits for n records more of each of some homes.
func (y *tally) awaitMore(t testing.TB, n int, homes ...string) {
	t.Helper()
	before := map[string]int{}
	for _, home := range homes {
		before[home] = y.of(home)
	}
	awaitFor(t, 2*patience, fmt.Sprintf("%d records more of %s in %s at %s", n, strings.Join(homes, " and "), y.topic, y.site.alias), func() (string, bool) {
		late := slices.IndexFunc(homes, func(home string) bool { return y.of(home) < before[home]+n })
		if late < 0 {
			return "", true
		}
		return fmt.Sprintf("%d of %s", y.of(homes[late])-before[homes[late]], homes[late]), false
	})
}

// awaitAll waits for n records more of each site at each other.
func (c common) awaitAll(t testing.TB, tallies map[string]*tally, n int) {
	t.Helper()
	for _, at := range c.sites {
		tallies[at.alias].awaitMore(t, n, c.but(at.alias)...)
	}
}

// but is the aliases of all sites apart from some.
func (c common) but(aliases ...string) (others []string) {
	for _, s := range c.sites {
		if !slices.Contains(aliases, s.alias) {
			others = append(others, s.alias)
		}
	}
	return others
}
