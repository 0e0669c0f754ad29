package demo

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

const (
	perSecond = 120 // records, of each writer
	tick      = 50 * time.Millisecond
)

// writer is the application that writes orders at one cluster. It may die and begin again; what it numbered is not numbered twice.
type writer struct {
	at     topology.Alias
	dial   func(...kgo.Opt) (*kafka.Cluster, error)
	random *rand.Rand

	cluster *kafka.Cluster // nil while it does not run
	cancel  context.CancelFunc
	loop    sync.WaitGroup
	closing sync.WaitGroup
	next    [partitions]int64

	mu    sync.Mutex
	acked []id
}

func newWriter(at topology.Alias, seed uint64, dial func(...kgo.Opt) (*kafka.Cluster, error)) *writer {
	h := fnv.New64a()
	_, _ = h.Write([]byte(at)) // a hash never fails
	return &writer{at: at, dial: dial, random: rand.New(rand.NewPCG(seed, h.Sum64()))}
}

func (w *writer) start() error {
	c, err := w.dial(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cluster, w.cancel = c, cancel
	w.loop.Go(func() { w.run(ctx) })
	return nil
}

func (w *writer) run(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for range perSecond * int(tick) / int(time.Second) {
			w.write(context.WithoutCancel(ctx)) // a record that was begun is not taken back
		}
	}
}

func (w *writer) write(ctx context.Context) {
	p := w.random.Int32N(partitions)
	i := id{w.at, p, w.next[p]}
	w.next[p]++
	w.cluster.Client.Produce(ctx, order(i, w.random), func(_ *kgo.Record, err error) {
		if err == nil {
			w.mu.Lock()
			w.acked = append(w.acked, i)
			w.mu.Unlock()
		}
	})
}

// stop writes what was begun, and ends.
func (w *writer) stop(ctx context.Context) error {
	if w.cluster == nil {
		return nil
	}
	w.cancel()
	w.loop.Wait()
	err := w.cluster.Client.Flush(ctx)
	w.cluster.Close()
	w.cluster = nil
	return err
}

// die ends without finishing anything.
func (w *writer) die() {
	w.cancel()
	w.loop.Wait()
	w.closing.Go(w.cluster.Close)
	w.cluster = nil
}

// close ends it, and waits for what is left of those that died.
func (w *writer) close() {
	if w.cluster != nil {
		w.die()
	}
	w.closing.Wait()
}

// written is how many records the cluster has acknowledged.
func (w *writer) written() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

func (w *writer) all() []id {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]id(nil), w.acked...)
}
