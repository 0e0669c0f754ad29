package main

import (
	"context"
	"fmt"
	"time"
)

// What a latency is measured over: long after the first record, for a JVM compiles while it runs.
const (
	warmUp = 15 * time.Second
	window = 20 * time.Second
)

// latency measures from the call that produces a record to when a consumer at the destination has it, under an even load.
func (b *bench) latency(ctx context.Context, t tool, c cell) (m measurement, err error) {
	l, err := b.startLive(ctx, t, c)
	if err != nil {
		return nil, err
	}
	defer l.close(ctx)
	if err := l.work(1); err != nil {
		return nil, err
	}
	err = l.loaded(ctx, 0, c.rate, func(load *load) error {
		m, err = l.watchLatency(ctx, load)
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, l.judge(ctx)
}

func (l *live) watchLatency(ctx context.Context, load *load) (measurement, error) {
	if err := l.awaitCount(ctx, l.cell.rate); err != nil {
		return nil, err
	}
	if err := pass(ctx, warmUp); err != nil {
		return nil, err
	}
	from := time.Now()
	before, err := l.workers[0].usage()
	if err != nil {
		return nil, err
	}
	if err := pass(ctx, window); err != nil {
		return nil, err
	}
	to := time.Now()
	after, err := l.workers[0].usage()
	if err != nil {
		return nil, err
	}
	if err := l.awaitMadeBy(ctx, to); err != nil {
		return nil, err
	}
	m := l.latencies(load, from, to)
	m["cores"] = (after.cpu - before.cpu).Seconds() / to.Sub(from).Seconds()
	m["memory"] = float64(after.peak) / 1e6
	return m, nil
}

// awaitMadeBy waits until every partition has a record that was made later than a time.
func (l *live) awaitMadeBy(ctx context.Context, t time.Time) error {
	return l.awaitMadeFor(ctx, patience, t)
}

func (l *live) awaitMadeFor(ctx context.Context, patience time.Duration, t time.Time) error {
	return awaitFor(ctx, patience, "records made later", l.workers, func() (saw string, done bool) {
		late := 0
		l.reader.look(func(r *reader) {
			for _, p := range r.parts {
				if p.made.After(t) {
					late++
				}
			}
		})
		return fmt.Sprintf("%d partitions of %d", late, l.partitions), late == l.partitions
	})
}

// latencies are those of the records that were made in a time, in milliseconds; and, beside them, how long the source took to
// answer the producer, which is in them nearly whole.
func (l *live) latencies(load *load, from, to time.Time) measurement {
	var arrived, answered []float64
	l.reader.look(func(r *reader) { arrived = milliseconds(r.arrived, from, to) })
	load.mu.Lock()
	defer load.mu.Unlock()
	answered = milliseconds(load.answers, from, to)
	return measurement{
		"p50": quantile(arrived, 0.5), "p99": quantile(arrived, 0.99), "p999": quantile(arrived, 0.999), "records": float64(len(arrived)),
		"append_p50": quantile(answered, 0.5), "append_p99": quantile(answered, 0.99),
	}
}

func milliseconds(all []arrival, from, to time.Time) (ms []float64) {
	for _, a := range all {
		if a.made.After(from) && a.made.Before(to) {
			ms = append(ms, float64(a.at.Sub(a.made).Microseconds())/1000)
		}
	}
	return ms
}
