package main

import (
	"context"
	"fmt"
)

// start measures from the start of the process to when a consumer has its first record: on the first start, when the copy is not
// there yet, and on one after a clean stop.
func (b *bench) start(ctx context.Context, t tool, c cell) (measurement, error) {
	l, err := b.startLive(ctx, t, c)
	if err != nil {
		return nil, err
	}
	defer l.close(ctx)
	first, err := l.firstAfterStart(ctx, 0)
	if err != nil {
		return nil, err
	}
	again, err := l.firstAfterStart(ctx, c.records)
	if err != nil {
		return nil, err
	}
	return measurement{"first_start": first, "restart": again}, l.judge(ctx)
}

// firstAfterStart produces records from a number on, and has the tool copy them from its start to its stop.
func (l *live) firstAfterStart(ctx context.Context, from int) (seconds float64, err error) {
	if err := produce(ctx, l.from, l.topic, l.cell.workload, from); err != nil {
		return 0, err
	}
	if err := l.work(1); err != nil {
		return 0, err
	}
	defer l.halt()
	started := l.workers[0].Started
	if err := l.awaitCount(ctx, from+l.cell.records); err != nil {
		return 0, fmt.Errorf("after a start with %d records copied: %w", from, err)
	}
	return l.reader.first(from).Sub(started).Seconds(), nil
}
