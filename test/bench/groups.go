package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// commits is how often a group commits in a run.
const commits = 20

// groups measures from a group's commit at the source to when its place at the destination has moved in every partition.
func (b *bench) groups(ctx context.Context, t tool, c cell) (m measurement, err error) {
	l, err := b.startLive(ctx, t, c)
	if err != nil {
		return nil, err
	}
	defer l.close(ctx)
	if err := produce(ctx, l.from, l.topic, c.workload, 0); err != nil {
		return nil, err
	}
	if err := l.work(1); err != nil {
		return nil, err
	}
	if err := l.awaitCount(ctx, c.records); err != nil {
		return nil, err
	}
	err = l.loaded(ctx, c.records, c.rate, func(*load) error {
		m, err = l.commitAll(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, l.judge(ctx)
}

func (l *live) commitAll(ctx context.Context) (measurement, error) {
	source, err := l.from.client()
	if err != nil {
		return nil, err
	}
	defer source.Close()
	destination, err := l.to.client()
	if err != nil {
		return nil, err
	}
	defer destination.Close()
	var took []float64
	for n := 1; n <= commits; n++ {
		d, err := l.commit(ctx, source, destination, int64(n*l.cell.records/l.partitions/(commits+1)))
		if err != nil {
			return nil, err
		}
		took = append(took, d.Seconds())
		if err := pass(ctx, rand.N(time.Second)); err != nil { // commits know nothing of the beat of a tool
			return nil, err
		}
	}
	return measurement{"sync_first": took[0], "sync_median": quantile(took, 0.5), "sync_longest": quantile(took, 1)}, nil
}

// commit commits a place in every partition, and waits for the move at the destination.
func (l *live) commit(ctx context.Context, source, destination *kgo.Client, place int64) (time.Duration, error) {
	group := l.topic + "-group"
	before, err := l.places(ctx, destination, group)
	if err != nil {
		return 0, err
	}
	var at kadm.Offsets
	for p := range l.partitions {
		at.AddOffset(l.topic, int32(p), place, -1)
	}
	began := time.Now()
	if err := kadm.NewClient(source).CommitAllOffsets(ctx, group, at); err != nil {
		return 0, fmt.Errorf("committing: %w", err)
	}
	var failed error
	err = await(ctx, "the group's places", l.workers, func() (string, bool) {
		now, err := l.places(ctx, destination, group)
		failed = err
		moved := 0
		for p, place := range now {
			if old, ok := before[p]; !ok || place > old {
				moved++
			}
		}
		return fmt.Sprintf("%d partitions of %d moved, %v", moved, l.partitions, err), err != nil || moved == l.partitions
	})
	if err == nil {
		err = failed
	}
	return time.Since(began), err
}

// places are where a group stands in the copy, by partition.
func (l *live) places(ctx context.Context, destination *kgo.Client, group string) (map[int32]int64, error) {
	places := map[int32]int64{}
	all, err := kadm.NewClient(destination).FetchOffsets(ctx, group)
	if kerr.IsRetriable(err) {
		return places, nil // a broker makes its topic of groups when the first is asked for
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the group's places: %w", err)
	}
	for p, o := range all[l.remote()] {
		if o.Err == nil && o.At >= 0 {
			places[p] = o.At
		}
	}
	return places, nil
}
