package main

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// backlog is the topic that is copied beside the one that is measured: records of 10 KiB.
func (c cell) backlog() workload {
	w := c.workload
	w.size, w.records, w.batch = 10<<10, c.behind*1_000_000/(10<<10), 0
	return w
}

// besides is how long the load flows before it is measured.
const besides = 5 * time.Second

// beside measures the latency of a topic under an even load while another topic of the same link, of so many megabytes, is caught up.
func (b *bench) beside(ctx context.Context, t tool, c cell) (m measurement, err error) {
	l, err := b.startLive(ctx, t, c)
	if err != nil {
		return nil, err
	}
	defer l.close(ctx)
	other := c.topic() + "-backlog-" + l.id
	l.also = other
	if err := fill(ctx, b.from, other, c.backlog()); err != nil {
		return nil, err
	}
	defer dropTopics(ctx, b.from, other)
	defer dropTopics(ctx, b.to, l.id+"."+other)
	if err := l.work(1); err != nil {
		return nil, err
	}
	err = l.loaded(ctx, 0, c.rate, func(load *load) error {
		m, err = l.watchBeside(ctx, load, l.id+"."+other)
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, l.judge(ctx)
}

var errNoBacklog = errors.New("the backlog was caught up before anything was measured: it is too small for this machine")

// watchBeside measures from soon after the first record to when the backlog is caught up.
func (l *live) watchBeside(ctx context.Context, load *load, copied string) (m measurement, err error) {
	if err := l.awaitCount(ctx, l.cell.rate); err != nil {
		return nil, err
	}
	if err := pass(ctx, besides); err != nil {
		return nil, err
	}
	from := time.Now()
	before, err := l.ends(ctx, copied)
	if err != nil {
		return nil, err
	}
	all := int64(l.cell.backlog().records)
	if before >= all {
		return nil, errNoBacklog
	}
	if err := l.awaitEnds(ctx, copied, all); err != nil {
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
	m = l.latencies(load, from, to)
	m["mbps"] = float64(all-before) * float64(l.cell.backlog().size) / 1e6 / to.Sub(from).Seconds()
	m["memory"] = float64(after.peak) / 1e6
	return m, nil
}

func (l *live) ends(ctx context.Context, topic string) (n int64, err error) {
	err = l.to.with(ctx, func(ctx context.Context, client *kgo.Client) error {
		n, err = sumOfEnds(ctx, client, topic, l.partitions)
		return err
	})
	return n, err
}

// awaitEnds waits until a topic has so many offsets, or stands still.
func (l *live) awaitEnds(ctx context.Context, topic string, n int64) error {
	for {
		if now, err := l.ends(ctx, topic); err != nil || now >= n {
			return err
		}
		if err := errors.Join(l.workers[0].failed(), pass(ctx, 100*time.Millisecond)); err != nil {
			return err
		}
	}
}
