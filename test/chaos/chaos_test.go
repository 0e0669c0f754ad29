package chaos

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/test/validate"
)

// patience is how long a copy gets to catch up once everything is mended and nothing is written any more: a partition that failed is
// tried again within a minute.
const patience = 10 * time.Minute

// Under load, everything breaks in the order of a seed. What was copied then is complete, once each, in order and identical.
func TestChaos(t *testing.T) {
	kafkatest.RealOnly(t, "kfake's brokers can't be killed, stopped or filled one by one")
	eachSeed(t, newArena, (*mesh).chaos)
}

func eachSeed(t *testing.T, begin func(*testing.T) *mesh, play func(*mesh, *testing.T, uint64)) {
	t.Helper()
	for next, last := *first, *first+uint64(*seeds); next < last; {
		t.Run(fmt.Sprintf("from-%d", next), func(t *testing.T) {
			m := begin(t)
			for ok := true; ok && next < last; next++ { // after a seed that failed the next begins anew
				ok = t.Run(fmt.Sprintf("seed-%d", next), func(t *testing.T) { play(m, t, next) })
			}
		})
	}
}

// newArena starts both clusters and all nodes.
func newArena(t *testing.T) *mesh {
	t.Helper()
	properties := map[string]string{
		"leader.imbalance.check.interval.seconds": "5", // leaders go back to brokers that are back
		"log.cleaner.backoff.ms":                  "1000",
	}
	us := startSide(t, "us", 1, properties, false, false)
	eu := startSide(t, "eu", 3, properties, true, false)
	m := newMesh(t, binary, []*side{us, eu}, theNodes, "  - between: [us, eu]\n    topics: {include: [\"chaos-.*\"]}\n    replication_factor: 3")
	m.startAll(t)
	return m
}

// chaos is one seed.
func (m *mesh) chaos(t *testing.T, seed uint64) {
	feeds := m.feeds(t, seed)
	r := &report{test: "TestChaos", name: "seed", seed: seed, began: time.Now()}
	t.Cleanup(func() { r.write(t, m) })
	there, back := watchCopies(t, r.began, m.side("eu"), feeds), watchCopies(t, r.began, m.side("us"), feeds)
	l := startLoad(t, seed, feeds)
	m.play(t, r, newSchedule(seed))
	l.stop()
	r.loaded = time.Since(r.began)
	r.stalls = append(sorted(there.stalls()), sorted(back.stalls())...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, f := range feeds {
		m.judge(ctx, t, r, f)
	}
	m.stillStands(t)
}

// stillStands says which nodes ended by themselves, and which topics there should not be.
func (m *mesh) stillStands(t *testing.T) {
	t.Helper()
	if names := m.fallen(); len(names) > 0 {
		t.Errorf("%s ended by themselves", names)
	}
	m.noLoops(t)
}

// feeds makes fresh topics.
func (m *mesh) feeds(t *testing.T, seed uint64) []*feed {
	t.Helper()
	us, eu := m.side("us"), m.side("eu")
	none, gzip, snappy, lz4, zstd := kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()
	feeds := []*feed{
		{name: "plain", from: us, to: eu, partitions: 4, perSecond: 200, writers: []writer{plain(gzip)}},
		{name: "idempotent", from: us, to: eu, partitions: 8, perSecond: 600, writers: []writer{idempotent(lz4)}},
		{name: "transactions", from: us, to: eu, partitions: 4, perSecond: 200, writers: []writer{transactional(none)}},
		{name: "mixed", from: us, to: eu, partitions: 4, perSecond: 400, writers: []writer{
			plain(none), idempotent(snappy), idempotent(zstd), transactional(lz4), transactional(none),
		}},
		{name: "back", from: eu, to: us, partitions: 4, perSecond: 200, writers: []writer{idempotent(zstd), transactional(snappy)}},
	}
	for _, f := range feeds {
		f.topic = fmt.Sprintf("chaos-%s-%d", f.name, seed)
		f.from.CreateTopic(t, f.topic, f.partitions)
	}
	return feeds
}

// step is the beginning or the end of a fault.
type step struct {
	at    time.Duration
	fault int
	begin bool
}

func stepsOf(faults []fault) []step {
	var steps []step
	for i, f := range faults {
		steps = append(steps, step{f.from, i, true}, step{f.to, i, false})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return int(a.at - b.at) })
	return steps
}

// play has a schedule happen, and returns when everything is mended. A step may take as long as a broker needs to start; those that
// follow come later by as much.
func (m *mesh) play(t *testing.T, r *report, faults []fault) {
	t.Helper()
	r.faults = make([]played, len(faults))
	for i, f := range faults {
		r.faults[i].fault = f
	}
	var late time.Duration
	for _, s := range stepsOf(faults) {
		r.await(s.at + late)
		p, do := &r.faults[s.fault], m.end
		if s.begin {
			p.began, do = time.Since(r.began), m.begin
		}
		if err := do(t, faults[s.fault]); err != nil {
			p.trouble = append(p.trouble, err.Error())
		}
		p.ended = time.Since(r.began)
		late = max(late, p.ended-s.at)
	}
	r.await(time.Since(r.began) + 2*time.Second) // under load, with nothing broken
}

// judge waits until a copy is complete, and compares it.
func (m *mesh) judge(ctx context.Context, t *testing.T, r *report, f *feed) {
	t.Helper()
	found, err := validate.Until(ctx, f.from.Client(t), f.to.Client(t), f.topic, f.remote())
	r.copies = append(r.copies, found)
	r.caughtUp = time.Since(r.began)
	switch {
	case err != nil:
		t.Errorf("comparing %s: %v", f.topic, err)
	case !found.OK():
		t.Error(found)
	case found.SourceRecords == 0:
		t.Errorf("nothing was written to %s", f.topic)
	}
}

func (m *mesh) noLoops(t *testing.T) {
	t.Helper()
	clients := map[string]*kgo.Client{}
	for _, s := range m.sides {
		clients[s.alias] = s.Client(t)
	}
	problems, err := validate.Topics(t.Context(), clients, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}
