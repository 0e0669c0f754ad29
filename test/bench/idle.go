package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// idleTopic is how many partitions a topic of an idle cell has: a controller makes no more than some thousands at once.
const idleTopic = 1000

// How long a node is left alone before it is looked at, and for how long then.
const (
	idleBefore = 20 * time.Second
	idleFor    = time.Minute
)

// idle measures what a node costs whose partitions have been copied, a record each, and to which nothing comes any more.
func (b *bench) idle(ctx context.Context, t tool, c cell) (measurement, error) {
	j, err := b.job(c.topic(), c.partitions)
	if err != nil {
		return nil, err
	}
	var topics, copies []string
	for n := range c.partitions / idleTopic {
		topic := fmt.Sprintf("%s-%d", c.topic(), n)
		topics, copies = append(topics, topic), append(copies, j.id+"."+topic)
		if err := fill(ctx, b.from, topic, workload{records: idleTopic, size: c.size, partitions: idleTopic, codec: c.codec}); err != nil {
			return nil, err
		}
	}
	defer dropTopics(ctx, b.to, copies...)
	defer dropTopics(ctx, b.from, topics...)
	j.also = c.topic() + "-.*"
	p, err := j.launch(t, 0)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	if err := j.awaitCopies(ctx, p, copies); err != nil {
		return nil, err
	}
	return p.alone(ctx)
}

// awaitCopies waits until every partition has a record behind its marker.
func (j *job) awaitCopies(ctx context.Context, p *process, copies []string) error {
	return j.to.with(ctx, func(ctx context.Context, client *kgo.Client) error {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for since, before := time.Now(), int64(0); ; {
			sum := int64(0)
			for _, topic := range copies {
				n, err := sumOfEnds(ctx, client, topic, idleTopic)
				if err != nil {
					return err
				}
				sum += n
			}
			if sum >= int64(2*idleTopic*len(copies)) {
				return nil
			}
			if sum != before {
				since, before = time.Now(), sum
			}
			if err := p.failed(); err != nil || time.Since(since) > patience {
				return fmt.Errorf("stands still at %d offsets for %s: %w; it said last:\n%s", sum, patience, err, p.tail(10))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
}

// alone measures a process to which nothing happens.
func (p *process) alone(ctx context.Context) (measurement, error) {
	opened := time.Since(p.Started)
	if err := pass(ctx, idleBefore); err != nil {
		return nil, err
	}
	before, err := p.usage()
	if err != nil {
		return nil, err
	}
	if err := pass(ctx, idleFor); err != nil {
		return nil, err
	}
	after, err := p.usage()
	if err != nil {
		return nil, err
	}
	return measurement{
		"open": opened.Seconds(), "cores": (after.cpu - before.cpu).Seconds() / idleFor.Seconds(), "memory": float64(after.peak) / 1e6,
	}, nil
}
