package flow

import (
	"sync"
	"sync/atomic"

	"github.com/meshd/meshd/kafka"
)

// Budget bounds the bytes of records that a node holds: what is fetched and not yet acknowledged. A fetch takes the most that its
// answer may hold before it is sent; an answer is held as a whole until the last batch in it is done with, for they share its memory.
type Budget struct {
	mu    sync.Mutex
	limit int64
	used  int64
	polls int64
	freed chan struct{}
}

const (
	minFetch = 1 << 20
	minTail  = 256 << 10
	maxTail  = 4 << 20
)

// NewBudget makes a budget of limit bytes.
func NewBudget(limit int64) *Budget {
	return &Budget{limit: max(limit, 8*minFetch), freed: make(chan struct{})}
}

// take reserves up to most bytes for an answer with a backlog, and nothing if there are fewer than a fetch needs. Half of the budget
// is kept from backlogs: what is merged is in memory twice for a while.
func (b *Budget) take(most int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(most, (b.limit/2-b.used)/2) // half: another broker's fetch finds room too
	if n < minFetch {
		return 0
	}
	b.used += n
	return n
}

// tails says that so many lanes poll for new records, or so many fewer if n is negative.
func (b *Budget) tails(n int) {
	b.mu.Lock()
	b.polls += int64(n)
	b.mu.Unlock()
}

// tail is how much an answer with new records may bring; 0: too much is held as it is. Nothing is reserved, for a poll may last, and
// most bring little: the polls share a quarter, which backlogs don't use.
func (b *Budget) tail() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	share := max(minTail, min(maxTail, b.limit/4/max(1, b.polls)))
	if b.used+share > b.limit {
		return 0
	}
	return share
}

// hold adds n bytes that are in memory already.
func (b *Budget) hold(n int64) {
	b.mu.Lock()
	b.used += n
	b.mu.Unlock()
}

// give returns n bytes.
func (b *Budget) give(n int64) {
	b.mu.Lock()
	b.used -= n
	close(b.freed)
	b.freed = make(chan struct{})
	b.mu.Unlock()
}

// changes is closed when something is given back.
func (b *Budget) changes() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.freed
}

// Used is how many bytes are held now.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// lease is memory that several batches share. Each keeps it; it is given back when all are done.
type lease struct {
	budget *Budget
	bytes  int64
	users  atomic.Int64
}

// lease turns what was taken for an answer into what the answer holds.
func (b *Budget) lease(taken int64, got []kafka.Got) *lease {
	l := &lease{budget: b}
	for _, g := range got {
		if g.FetchResponseTopicPartition != nil {
			l.bytes += int64(len(g.RecordBatches))
		}
	}
	l.users.Store(1)
	if taken > 0 || l.bytes > 0 {
		b.give(taken - l.bytes)
	}
	return l
}

// own is the lease of memory that one batch has alone.
func (b *Budget) own(n int) *lease {
	l := &lease{budget: b, bytes: int64(n)}
	l.users.Store(1)
	b.hold(l.bytes)
	return l
}

func (l *lease) keep() *lease {
	l.users.Add(1)
	return l
}

func (l *lease) done() {
	if l.users.Add(-1) == 0 && l.bytes > 0 {
		l.budget.give(l.bytes)
	}
}
