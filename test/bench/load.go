package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// load produces records to a topic at an even rate until it is stopped, each sent as soon as it is made.
type load struct {
	client *kgo.Client
	halt   context.CancelFunc
	done   chan struct{}
	acked  atomic.Int64
	failed atomic.Pointer[error]

	mu      sync.Mutex
	answers []arrival // when the source had taken each
}

func startLoad(ctx context.Context, c *cluster, topic string, w workload, first, perSecond int) (*load, error) {
	client, err := c.client(append(w.options(), kgo.ProducerLinger(0), kgo.MaxBufferedRecords(200_000))...)
	if err != nil {
		return nil, err
	}
	running, halt := context.WithCancel(ctx)
	l := &load{client: client, halt: halt, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.produce(running, topic, w, first, float64(perSecond))
	}()
	return l, nil
}

// produce makes, every millisecond, what is due by then.
func (l *load) produce(ctx context.Context, topic string, w workload, first int, perSecond float64) {
	var answers sync.WaitGroup
	defer answers.Wait()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	began, made := time.Now(), 0
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for due := int(time.Since(began).Seconds() * perSecond); made < due; made++ {
			answers.Add(1)
			l.client.Produce(context.WithoutCancel(ctx), w.record(topic, first+made), func(r *kgo.Record, err error) {
				defer answers.Done()
				if err != nil {
					l.failed.Store(&err)
					return
				}
				l.acked.Add(1)
				l.note(r)
			})
		}
	}
}

func (l *load) note(r *kgo.Record) {
	a := arrival{number(r), madeAt(r), time.Now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.answers, a)
}

// stop returns how many records the topic took; numbers are first to first+n-1.
func (l *load) stop() (int, error) {
	l.halt()
	<-l.done
	l.client.Close()
	if err := l.failed.Load(); err != nil {
		return 0, fmt.Errorf("producing: %w", *err)
	}
	return int(l.acked.Load()), nil
}
