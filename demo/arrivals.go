package demo

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// arrivals counts the orders in one cluster's topic by where they were written. With identity naming no place in a log tells that.
type arrivals struct {
	cluster *kafka.Cluster
	halt    context.CancelFunc
	loop    sync.WaitGroup

	mu sync.Mutex
	by map[topology.Alias]int64
}

func startArrivals(dial func(...kgo.Opt) (*kafka.Cluster, error)) (*arrivals, error) {
	c, err := dial(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	ctx, halt := context.WithCancel(context.Background())
	a := &arrivals{cluster: c, halt: halt, by: map[topology.Alias]int64{}}
	a.loop.Go(func() {
		for ctx.Err() == nil {
			c.Client.PollFetches(ctx).EachRecord(a.note)
		}
	})
	return a, nil
}

func (a *arrivals) note(r *kgo.Record) {
	if i, ok := idOf(r); ok {
		a.mu.Lock()
		a.by[i.origin]++
		a.mu.Unlock()
	}
}

func (a *arrivals) of(origin topology.Alias) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.by[origin]
}

func (a *arrivals) close() {
	a.halt()
	a.loop.Wait()
	a.cluster.Close()
}
