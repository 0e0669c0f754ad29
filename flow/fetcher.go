package flow

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshd/meshd/kafka"
)

const (
	fetchMaxBytes  = 16 << 20 // of one answer
	fetchPartBytes = 1 << 20  // of one partition in it
	longPoll       = 500 * time.Millisecond
	shortPoll      = 50 * time.Millisecond // while a partition waits to join the next fetch
	steadyAfter    = 3 * time.Second       // since the last partition was added
)

// Fetcher reads raw batches from one source cluster, for all partitions that this node copies from there: a goroutine a broker.
type Fetcher struct {
	cluster *kafka.Cluster
	dir     *kafka.Directory
	budget  *Budget
	ctx     context.Context //nolint:containedctx // the life of the fetcher, ended by Close
	cancel  context.CancelFunc
	wg      sync.WaitGroup

	mu      sync.Mutex
	parts   map[*part]struct{}
	brokers map[int32]*brokerFetch
	added   time.Time
	version atomic.Int64 // raised when parts or leaders changed
}

// NewFetcher starts a fetcher.
func NewFetcher(c *kafka.Cluster, dir *kafka.Directory, b *Budget) *Fetcher {
	f := &Fetcher{cluster: c, dir: dir, budget: b, parts: map[*part]struct{}{}, brokers: map[int32]*brokerFetch{}}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.wg.Go(f.follow)
	return f
}

// Close ends the fetcher and returns when its goroutines have.
func (f *Fetcher) Close() {
	f.cancel()
	f.wg.Wait()
}

// follow gives every change of leaders to the goroutines of the brokers.
func (f *Fetcher) follow() {
	for {
		changed := f.dir.Changed()
		f.regroup()
		select {
		case <-changed:
		case <-f.ctx.Done():
			return
		}
	}
}

func (f *Fetcher) add(p *part) {
	f.mu.Lock()
	f.parts[p], f.added = struct{}{}, time.Now()
	f.mu.Unlock()
	f.regroup()
}

func (f *Fetcher) remove(p *part) {
	f.mu.Lock()
	delete(f.parts, p)
	f.mu.Unlock()
	f.version.Add(1)
}

// regroup makes sure that each leader has a goroutine, and tells all to read anew which partitions are theirs.
func (f *Fetcher) regroup() {
	f.version.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	for p := range f.parts {
		at, ok := f.dir.Get(p.Topic, p.Number)
		if !ok || at.Leader < 0 || f.brokers[at.Leader] != nil || f.ctx.Err() != nil {
			continue
		}
		b := &brokerFetch{f: f, id: at.Leader, wake: make(chan struct{}, 1), rec: newRecoder()}
		f.brokers[at.Leader] = b
		f.wg.Go(b.loop)
	}
	for _, b := range f.brokers {
		b.poke()
	}
}

// wakeFor tells the goroutine of p's leader that p has room again.
func (f *Fetcher) wakeFor(p *part) {
	at, ok := f.dir.Get(p.Topic, p.Number)
	if !ok {
		return
	}
	f.mu.Lock()
	b := f.brokers[at.Leader]
	f.mu.Unlock()
	if b != nil {
		b.poke()
	}
}

// owned returns the parts that a broker leads, those of a topic side by side, and the time since a part was added.
func (f *Fetcher) owned(broker int32) (mine []*part, since time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p := range f.parts {
		if at, ok := f.dir.Get(p.Topic, p.Number); ok && at.Leader == broker {
			mine = append(mine, p)
		}
	}
	slices.SortFunc(mine, func(a, b *part) int {
		if c := strings.Compare(a.Topic, b.Topic); c != 0 {
			return c
		}
		return int(a.Number - b.Number)
	})
	return mine, time.Since(f.added)
}

// brokerFetch is the fetch loop of one source broker.
type brokerFetch struct {
	f       *Fetcher
	id      int32
	wake    chan struct{}
	version int64
	parts   []*part
	steady  bool
	turn    int // the part that stands first in the next fetch, so that a full answer starves nobody
	failed  int
	rec     *recoder
}

func (b *brokerFetch) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *brokerFetch) loop() {
	for b.f.ctx.Err() == nil {
		if b.step() {
			continue
		}
		t := time.NewTimer(longPoll) // a part whose wait is over wakes nobody
		select {
		case <-b.wake:
		case <-t.C:
		case <-b.f.ctx.Done():
		}
		t.Stop()
	}
}

// step does one fetch; false means that no part wants anything.
func (b *brokerFetch) step() bool {
	b.regroup()
	ps, wants, missing := b.collect()
	if len(ps) == 0 {
		return false
	}
	wait := longPoll
	if missing || !b.steady {
		wait = shortPoll
	}
	limit := b.f.budget.take(fetchMaxBytes)
	if limit == 0 {
		b.f.budget.wait(b.f.ctx)
		return true
	}
	got, err := b.f.cluster.Fetch(b.f.ctx, kafka.FetchRequest{
		Broker: b.id, Wants: wants, MaxWait: wait, MaxBytes: int32(limit), Committed: true,
	})
	b.f.budget.give(limit)
	if err != nil {
		b.fail(ps, err)
		return true
	}
	b.failed = 0
	for i, p := range ps {
		p.deliver(got[i], wants[i].Offset, b.rec)
	}
	return true
}

func (b *brokerFetch) regroup() {
	if v := b.f.version.Load(); v != b.version || !b.steady {
		var since time.Duration
		b.version = v
		b.parts, since = b.f.owned(b.id)
		b.steady = since > steadyAfter
	}
}

// collect asks each part what it wants; missing says that one of them will want something soon.
func (b *brokerFetch) collect() (ps []*part, wants []kafka.Want, missing bool) {
	now := time.Now()
	n := len(b.parts)
	start := 0
	if n > 0 {
		b.turn++
		start = b.turn % n
	}
	for i := range n {
		p := b.parts[(start+i)%n]
		w, ok, soon := p.want(now)
		if !ok {
			missing = missing || soon
			continue
		}
		at, found := b.f.dir.Get(p.Topic, p.Number)
		if !found {
			continue
		}
		w.Partition = at
		ps, wants = append(ps, p), append(wants, w)
	}
	return ps, wants, missing
}

// fail is for a request that had no answer: the broker is asked again after a wait, and metadata may name another leader.
func (b *brokerFetch) fail(ps []*part, err error) {
	if b.f.ctx.Err() != nil {
		return
	}
	for _, p := range ps {
		p.fetchTrouble(err)
	}
	b.f.dir.Stale()
	b.failed++
	wait := min(50*time.Millisecond<<min(b.failed, 6), 2*time.Second)
	_ = kafka.Sleep(b.f.ctx, wait) // ended early is found by the loop
}
