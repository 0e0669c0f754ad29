package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// reader is the consumer that sees what arrives, in a topic that may not be there yet. It reads committed records, as a consumer
// must where a tool promises more through transactions.
type reader struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	seen     []uint8 // how often, by number
	distinct int
	total    int
	arrived  []arrival
	parts    map[int32]*pulse
}

// arrival is one record, when it was made and when it was read.
type arrival struct {
	number   int
	made, at time.Time
}

// pulse is how regularly records of a partition come.
type pulse struct {
	last, made time.Time // the last arrival, and when that record was made
	longest    time.Duration
}

func startReader(ctx context.Context, c *cluster, topic string) (*reader, error) {
	client, err := c.client(
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.MetadataMaxAge(100*time.Millisecond), kgo.FetchMaxWait(500*time.Millisecond))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &reader{cancel: cancel, done: make(chan struct{}), parts: map[int32]*pulse{}}
	go func() {
		defer close(r.done)
		defer client.Close()
		for ctx.Err() == nil {
			fetches := client.PollFetches(ctx)
			r.take(fetches.Records(), time.Now())
		}
	}()
	return r, nil
}

func (r *reader) take(records []*kgo.Record, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, record := range records {
		n, made := number(record), madeAt(record)
		for len(r.seen) <= n {
			r.seen = append(r.seen, make([]uint8, 1<<16)...)
		}
		if r.total++; r.seen[n] == 0 {
			r.distinct++
			r.arrived = append(r.arrived, arrival{n, made, at})
		}
		r.seen[n]++
		p := r.parts[record.Partition]
		if p == nil {
			p = &pulse{last: at}
			r.parts[record.Partition] = p
		}
		p.longest = max(p.longest, at.Sub(p.last))
		p.last, p.made = at, later(p.made, made)
	}
}

func (r *reader) stop() {
	r.cancel()
	<-r.done
}

// look calls a function while nothing arrives.
func (r *reader) look(at func(*reader)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at(r)
}

// count returns how many different records have arrived.
func (r *reader) count() (n int) {
	r.look(func(r *reader) { n = r.distinct })
	return n
}

// first returns when the first record arrived that is numbered n or above; zero where none has.
func (r *reader) first(n int) (at time.Time) {
	r.look(func(r *reader) {
		for _, a := range r.arrived {
			if a.number >= n && (at.IsZero() || a.at.Before(at)) {
				at = a.at
			}
		}
	})
	return at
}
