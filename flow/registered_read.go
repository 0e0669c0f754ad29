package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
)

// ask has the registry read, and calls then when that is done, on a goroutine of run's.
func (r *registered) ask(run func(func(context.Context)), then func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(r.waiting, then)
	if !r.reading {
		r.reading = true
		run(r.loop)
	}
}

// know has the registry read, and returns when it was.
func (r *registered) know(ctx context.Context, run func(func(context.Context))) error {
	read := make(chan error, 1)
	r.ask(run, func(err error) { read <- err })
	select {
	case err := <-read:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

const (
	readRegistryFor   = 10 * time.Second
	readRegistryAgain = time.Second
)

// loop reads as long as somebody waits: who asks while it reads may have met a batch that is younger than the reading.
func (r *registered) loop(ctx context.Context) {
	for {
		r.mu.Lock()
		told := r.waiting
		r.waiting = nil
		if r.reading = len(told) > 0; !r.reading {
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		err := r.read(ctx)
		for _, then := range told {
			then(err)
		}
		if err != nil && kafka.Sleep(ctx, readRegistryAgain) != nil {
			r.forget()
			return
		}
	}
}

// forget ends a loop whose context has ended.
func (r *registered) forget() {
	r.mu.Lock()
	r.reading, r.waiting = false, nil
	r.mu.Unlock()
}

// read reads the registry, and once more from its beginning where it was lost and made again since.
func (r *registered) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readRegistryFor)
	defer cancel()
	err := r.readNew(ctx)
	if !r.lost() {
		return err
	}
	topics := checkpoint.NewTopics(r.cluster) // which may be another one too
	if topics.Refresh(ctx) == nil && r.wasRebuilt(topics.Rebuilt()) {
		return r.readNew(ctx)
	}
	return err
}

func (r *registered) lost() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writers.Lost()
}

// wasRebuilt forgets all that was read before the registries were made again, and says whether that is news.
func (r *registered) wasRebuilt(when string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if when == "" || r.rebuilt[when] {
		return false
	}
	r.rebuilt[when], r.renew = true, true
	r.writers, r.known = loop.NewWriters(), map[int64]checkpoint.Writer{}
	return true
}

// begin begins a reading.
func (r *registered) begin() (of *loop.Writers, at loop.Tick) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.renew {
		r.topics, r.table, r.renew = checkpoint.NewTopics(r.cluster), checkpoint.NewWriters(r.cluster), false
	}
	return r.writers, loop.Tick(r.tick.Add(1))
}

func (r *registered) readNew(ctx context.Context) error {
	of, began := r.begin()
	there, err := r.there(ctx)
	if there {
		err = r.table.Barrier(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writers != of { // it was made again meanwhile
		return nil
	}
	if err != nil {
		if kafka.Explain(err, "").Code == kafka.RegistryLost {
			r.writers.Lose()
		}
		return err
	}
	for _, ids := range []map[int64]checkpoint.Writer{r.table.Rivals(), r.table.IDs()} {
		if err := r.learn(ids); err != nil {
			return err
		}
	}
	r.writers.ReadSince(began)
	return nil
}

// there says whether the cluster has, or had, a registry of writers. One into which meshd never wrote has none.
func (r *registered) there(ctx context.Context) (bool, error) {
	if r.topics.HasWriters() {
		return true, nil
	}
	err := r.topics.Refresh(ctx)
	if checkpoint.IsNoTable(err) && r.topics.Birth() == "" {
		err = nil
	}
	return err == nil && r.topics.HasWriters(), err
}

func (r *registered) learn(ids map[int64]checkpoint.Writer) error {
	for id, w := range ids {
		if was, ok := r.known[id]; ok && was.OriginID == w.OriginID {
			continue
		}
		origin, err := loop.NewClusterID(w.OriginID)
		if err != nil {
			return fmt.Errorf("the registration of producer id %d: %w", id, err)
		}
		if err := r.writers.Register(id, r.numberOf(origin)); err != nil {
			return err
		}
		r.known[id] = w
	}
	return nil
}
