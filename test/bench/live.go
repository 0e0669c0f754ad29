package main

import (
	"context"
	"errors"
	"fmt"
)

// live is a run in which records are produced while they are copied.
type live struct {
	*job
	tool    tool
	cell    cell
	reader  *reader
	workers []*process
}

// startLive makes the topic of a run and a reader of its copy. Nothing copies yet.
func (b *bench) startLive(ctx context.Context, t tool, c cell) (*live, error) {
	j, err := b.job("t-"+c.name, c.partitions)
	if err != nil {
		return nil, err
	}
	j.topic += "-" + j.id // each run has a topic of its own
	l := &live{job: j, tool: t, cell: c}
	if err := makeTopic(ctx, b.from, j.topic, c.partitions); err != nil {
		return nil, err
	}
	l.reader, err = startReader(ctx, b.to, j.remote())
	return l, err
}

// work starts the tool with so many workers.
func (l *live) work(workers int) error {
	l.job.workers = workers
	for n := range workers {
		p, err := l.launch(l.tool, n)
		if err != nil {
			return err
		}
		l.workers = append(l.workers, p)
	}
	return nil
}

func (l *live) halt() {
	for _, p := range l.workers {
		p.stop()
	}
	l.workers = nil
}

func (l *live) close(ctx context.Context) {
	l.halt()
	l.reader.stop()
	dropTopics(ctx, l.to, l.remote())
	dropTopics(ctx, l.from, l.topic)
}

// awaitCount waits for so many different records, and fails where meshd brought any twice or out of place.
func (l *live) awaitCount(ctx context.Context, n int) error {
	return await(ctx, fmt.Sprintf("%d records", n), l.workers, func() (string, bool) {
		got := l.reader.count()
		return fmt.Sprintf("%d records of %d", got, n), got >= n
	})
}

// judge compares what meshd copied with its source. Nothing may be produced any more.
func (l *live) judge(ctx context.Context) error {
	if l.tool.name != "meshd" {
		return nil
	}
	return l.compare(ctx)
}

// loaded runs a function while records are produced, and waits until all of them have arrived.
func (l *live) loaded(ctx context.Context, first, perSecond int, do func(*load) error) error {
	load, err := startLoad(ctx, l.from, l.topic, l.cell.workload, first, perSecond)
	if err != nil {
		return err
	}
	failed := do(load)
	n, err := load.stop()
	if err = errors.Join(failed, err); err != nil {
		return err
	}
	return l.awaitCount(ctx, first+n)
}
