package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/meshd/meshd/kafka"
)

// life is what a shard has while one epoch of its writer lasts.
type life struct {
	*shard
	id       kafka.ProducerID
	progress *ledger
	offsets  *ledger
	fence    *fence
	stored   stored
	later    map[string]again // partitions that could not be opened
	beside   beside           // at the destination
	asking   beside           // at the source
	renewAt  time.Time
	old      []kafka.ProducerID // by which the shard was written before; without its own
	unheard  bool               // the transactional id was in use before, and nobody is registered by it: the registry was lost, or never written
	ids      map[int64]bool     // producer ids that this writer has had, as far as it is known
	places   <-chan struct{}    // closed when the destination's directory changed since parts were compared with it
	lookAt   time.Time          // when they are compared the next time though it did not; zero: not
}

func (s *shard) txnID() string {
	return fmt.Sprintf("meshd.%s.%s", s.env.mesh, s.id)
}

// step does what waits: partitions to open or close, places to find, runs to note. It returns why the epoch must end, if so.
func (l *life) step(ctx context.Context) error {
	if err := l.over(ctx); err != nil {
		return err
	}
	if err := l.closeUnwanted(ctx); err != nil {
		return err
	}
	if err := l.closeStuck(ctx); err != nil {
		return err
	}
	l.upkeep(ctx)
	l.lookForLoss(ctx, time.Now())
	l.openWanted(ctx) // behind what is seldom: there may be something to be tried all the time
	l.lookAtStrange(ctx)
	if err := l.prove(ctx); err != nil {
		return err
	}
	l.findRanges(ctx)
	if err := l.turnParts(ctx); err != nil {
		return err
	}
	return l.writeNotes(ctx)
}

// over says why the epoch must end, if so.
func (l *life) over(ctx context.Context) error {
	l.asks.Lock()
	err := l.broken
	l.asks.Unlock()
	l.mu.Lock()
	passed := l.told.over > l.seq
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if passed { // somebody else is said to have had it since
		if err := l.dst.Writers.check(ctx); err != nil {
			return err
		}
	}
	return errors.Join(l.dst.Writers.lost(), l.ousted())
}

func (l *life) close() {
	l.beside.halt()
	l.asking.halt()
	l.mu.Lock()
	parts := maps.Clone(l.parts)
	clear(l.parts)
	l.mu.Unlock()
	for _, p := range parts {
		p.src.Fetcher.remove(p)
		p.halt()
	}
	l.progress.outlet.Close()
	l.offsets.outlet.Close()
}

const drainTime = 5 * time.Second

// drain lets what is under way arrive, and saves the last place, so that the next owner has nothing to read back.
func (l *life) drain() error {
	l.set(Draining, kafka.Reason{})
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	l.mu.Lock()
	parts := maps.Clone(l.parts)
	l.mu.Unlock()
	for _, p := range parts {
		p.src.Fetcher.remove(p)
	}
	for _, p := range parts {
		if err := p.settle(ctx); err != nil {
			return err
		}
	}
	return l.save(ctx)
}
