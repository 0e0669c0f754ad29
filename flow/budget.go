package flow

import (
	"context"
	"sync"
)

// Budget bounds the bytes of records that a node holds: what is fetched and not yet acknowledged. A fetch takes the most that
// its answer may hold before it is sent, gives that back when the answer is there, and the parts hold what they queued.
type Budget struct {
	mu    sync.Mutex
	limit int64
	used  int64
	freed chan struct{}
}

const minFetch = 1 << 20

// NewBudget makes a budget of limit bytes.
func NewBudget(limit int64) *Budget {
	return &Budget{limit: max(limit, 4*minFetch), freed: make(chan struct{})}
}

// take reserves up to most bytes, and nothing if there are fewer than a fetch needs.
func (b *Budget) take(most int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(most, (b.limit-b.used)/2) // half: another broker's fetch finds room too
	if n < minFetch {
		return 0
	}
	b.used += n
	return n
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

// wait returns when something was given back.
func (b *Budget) wait(ctx context.Context) {
	b.mu.Lock()
	freed, ok := b.freed, b.limit-b.used >= 2*minFetch
	b.mu.Unlock()
	if ok {
		return
	}
	select {
	case <-freed:
	case <-ctx.Done():
	}
}

// Used is how many bytes are held now.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
