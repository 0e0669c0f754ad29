package main

import (
	"context"
	"time"
)

// steady is how long records flow through all workers before one is killed; takeover is how long the others may take.
const (
	steady   = 10 * time.Second
	takeover = 8 * time.Minute // MirrorMaker 2 waits for five minutes before it gives the tasks of a worker to another
)

// kill has workers copy under an even load and kills that with the most work, with kill -9. It measures the longest time in which
// a partition brought nothing, and what came twice.
func (b *bench) kill(ctx context.Context, t tool, c cell) (m measurement, err error) {
	l, err := b.startLive(ctx, t, c)
	if err != nil {
		return nil, err
	}
	defer l.close(ctx)
	if err := l.work(c.workers); err != nil {
		return nil, err
	}
	before := 0 // what had come twice until then: MirrorMaker 2 begins with a rebalance or two
	err = l.loaded(ctx, 0, c.rate, func(*load) error {
		before, err = l.killBusiest(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := pass(ctx, settle); err != nil { // what comes twice may come last
		return nil, err
	}
	m = measurement{}
	l.reader.look(func(r *reader) {
		m["duplicates"] = float64(r.total - r.distinct - before)
		for _, p := range r.parts {
			m["stall"] = max(m["stall"], p.longest.Seconds())
		}
	})
	return m, l.judge(ctx)
}

// killBusiest returns when every partition goes on, and how many records had come twice before the kill.
func (l *live) killBusiest(ctx context.Context) (twice int, err error) {
	if err := l.awaitMadeBy(ctx, time.Now()); err != nil {
		return 0, err
	}
	if err := pass(ctx, steady); err != nil {
		return 0, err
	}
	busiest, err := l.busiest(ctx)
	if err != nil {
		return 0, err
	}
	l.reader.look(func(r *reader) {
		for _, p := range r.parts {
			p.longest = 0
		}
		twice = r.total - r.distinct
	})
	killed := l.workers[busiest]
	l.workers = append(l.workers[:busiest:busiest], l.workers[busiest+1:]...)
	killed.Kill()
	return twice, l.awaitMadeFor(ctx, takeover, time.Now())
}

// busiest is the worker that used the CPU most in a while: with one task, the other has nothing to lose.
func (l *live) busiest(ctx context.Context) (int, error) {
	before, err := l.usages()
	if err != nil {
		return 0, err
	}
	if err := pass(ctx, 3*time.Second); err != nil {
		return 0, err
	}
	after, err := l.usages()
	if err != nil {
		return 0, err
	}
	best := 0
	for i := range after {
		if after[i].cpu-before[i].cpu > after[best].cpu-before[best].cpu {
			best = i
		}
	}
	return best, nil
}

func (l *live) usages() (all []usage, err error) {
	for _, p := range l.workers {
		u, err := p.usage()
		if err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}
