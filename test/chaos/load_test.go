package chaos

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
)

// feed is a topic, and how it is written to.
type feed struct {
	name       string
	from, to   *side
	partitions int32
	perSecond  int
	writers    []writer
	topic      string // a fresh one
	at         string // what its records name as their home, if anything
	sent       atomic.Int64
}

// writer is one producer of a feed. What it could not write, or wrote twice, is no matter: what the source's log holds is the truth.
type writer struct {
	codec         kgo.CompressionCodec
	options       []kgo.Opt
	transactional bool
}

func plain(codec kgo.CompressionCodec) writer {
	return writer{codec: codec, options: []kgo.Opt{kgo.DisableIdempotentWrite()}}
}

func idempotent(codec kgo.CompressionCodec) writer { return writer{codec: codec} }

func transactional(codec kgo.CompressionCodec) writer {
	return writer{codec: codec, transactional: true}
}

// load is what is written while everything breaks.
type load struct {
	halt  context.CancelFunc
	tasks sync.WaitGroup
}

// startLoad writes to all feeds until it is stopped.
func startLoad(t *testing.T, seed uint64, feeds []*feed) *load {
	t.Helper()
	ctx, halt := context.WithCancel(t.Context())
	l := &load{halt: halt}
	for _, f := range feeds {
		for i, w := range f.writers {
			records := kafkatest.Workload{Seed: seed<<8 | uint64(i), Partitions: f.partitions, Start: time.Now(), At: f.at}
			l.tasks.Go(func() { f.run(ctx, fmt.Sprintf("%s-%s-%d", f.topic, f.from.alias, i), w, records) })
		}
	}
	t.Cleanup(l.stop)
	return l
}

// stop returns when nothing is written any more.
func (l *load) stop() {
	l.halt()
	l.tasks.Wait()
}

// run writes with one producer after another: one that can't go on is replaced.
func (f *feed) run(ctx context.Context, id string, w writer, records kafkatest.Workload) {
	for next := 0; ctx.Err() == nil; {
		options := append(f.from.Opts(), kgo.DefaultProduceTopic(f.topic), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(w.codec))
		options = append(options, w.options...)
		if w.transactional {
			options = append(options, kgo.TransactionalID(id), kgo.TransactionTimeout(10*time.Second))
		}
		client, err := kgo.NewClient(options...)
		if err != nil {
			panic(err) // the options are this file's own
		}
		if w.transactional {
			next = f.transactions(ctx, client, records, next)
		} else {
			next = f.stream(ctx, client, records, next)
		}
		client.Close()
	}
}

const ticks = 20 // a second

// settleTime is what a producer gets at the end for what is under way.
const settleTime = 30 * time.Second

// stream writes single records until the end.
func (f *feed) stream(ctx context.Context, client *kgo.Client, records kafkatest.Workload, next int) int {
	tick := time.NewTicker(time.Second / ticks)
	defer tick.Stop()
	for ctx.Err() == nil {
		for range max(1, f.perSecond/ticks/len(f.writers)) {
			client.Produce(context.WithoutCancel(ctx), records.Record(next), f.written)
			next++
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	_ = client.Flush(within) // what is not there then is not at the source
	return next
}

func (f *feed) written(_ *kgo.Record, err error) {
	if err == nil {
		f.sent.Add(1)
	}
}

// transactions writes in transactions, every third of which is aborted, until the end or until the producer can't go on. What it leaves
// open is aborted by its successor of the same id, or by its timeout.
func (f *feed) transactions(ctx context.Context, client *kgo.Client, records kafkatest.Workload, next int) int {
	tick := time.NewTicker(time.Second / ticks)
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		size := max(1, f.perSecond/ticks/len(f.writers))
		var batch []*kgo.Record
		for range size {
			batch = append(batch, records.Record(next))
			next++
		}
		err := commit(within, client, batch, kgo.TransactionEndTry(n%3 != 2))
		cancel()
		if err != nil {
			return next
		}
		f.sent.Add(int64(size))
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return next
}

func commit(ctx context.Context, client *kgo.Client, records []*kgo.Record, end kgo.TransactionEndTry) error {
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	return client.EndTransaction(ctx, end)
}
