package integration

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// load is records that are produced while other things happen. Its producer is idempotent and does not give up.
type load struct {
	to     string
	acked  atomic.Int64
	failed atomic.Pointer[error]
	halt   context.CancelFunc
	done   chan struct{}
}

// startLoad produces a workload to a topic: all of it as fast as it goes, or so many records a second until stop.
func startLoad(t testing.TB, s *site, topic string, w kafkatest.Workload, perSecond int) *load {
	t.Helper()
	if w.Start.IsZero() {
		w.Start = time.Now()
	}
	client := s.Client(t, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(w.Codec))
	ctx, halt := context.WithCancel(t.Context())
	l := &load{to: s.alias + "/" + topic, halt: halt, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.produce(ctx, client, w, perSecond)
	}()
	t.Cleanup(func() { halt(); <-l.done })
	return l
}

// produce returns when everything that it sent is answered.
func (l *load) produce(ctx context.Context, client *kgo.Client, w kafkatest.Workload, perSecond int) {
	var answers sync.WaitGroup
	const ticks = 100 // a second
	tick := time.NewTicker(time.Second / ticks)
	defer tick.Stop()
	for i := 0; (w.Records == 0 || i < w.Records) && ctx.Err() == nil; i++ {
		if perSecond > 0 && i%max(1, perSecond/ticks) == 0 {
			<-tick.C
		}
		answers.Add(1)
		client.Produce(context.WithoutCancel(ctx), w.Record(i), func(_ *kgo.Record, err error) {
			defer answers.Done()
			if err != nil {
				l.failed.Store(&err)
				return
			}
			l.acked.Add(1)
		})
	}
	answers.Wait()
}

// startTransactions produces without end in transactions of a few records, of which every third is aborted: a log full of gaps.
func startTransactions(t testing.TB, s *site, topic string, w kafkatest.Workload) *load {
	t.Helper()
	w.Start = time.Now()
	client := s.Client(t, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("it-"+topic))
	ctx, halt := context.WithCancel(t.Context())
	l := &load{to: s.alias + "/" + topic, halt: halt, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for i, n := 0, 0; ctx.Err() == nil; n++ {
			size := 1 + n%7
			if err := l.transact(context.WithoutCancel(ctx), client, w, i, size, n%3 != 2); err != nil {
				l.failed.Store(&err)
				return
			}
			i += size
		}
	}()
	t.Cleanup(func() { halt(); <-l.done })
	return l
}

func (l *load) transact(ctx context.Context, client *kgo.Client, w kafkatest.Workload, from, n int, commit bool) error {
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	var records []*kgo.Record
	for i := range n {
		records = append(records, w.Record(from+i))
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	if err := client.EndTransaction(ctx, kgo.TransactionEndTry(commit)); err != nil {
		return err
	}
	if commit {
		l.acked.Add(int64(n))
	}
	return nil
}

// wait waits for a load that ends by itself, and returns how many records are acknowledged.
func (l *load) wait(t testing.TB) int {
	t.Helper()
	awaitFor(t, 2*patience, "producing to "+l.to, func() (string, bool) {
		select {
		case <-l.done:
			return "", true
		default:
			return fmt.Sprintf("%d records acknowledged", l.acked.Load()), false
		}
	})
	if err := l.failed.Load(); err != nil {
		t.Fatalf("producing to %s: %v", l.to, *err)
	}
	return int(l.acked.Load())
}

// stop ends a load, and returns how many records are acknowledged.
func (l *load) stop(t testing.TB) int {
	t.Helper()
	l.halt()
	return l.wait(t)
}

// watch counts what arrives in a topic, which may not be there yet.
type watch struct {
	topic string
	site  *site
	n     atomic.Int64
	stall atomic.Int64 // the longest time between two arrivals, since the last reset

	mu    sync.Mutex
	paces map[int32]*pace // by partition
}

// pace is how far a partition is, and how it fared since longestStill was last asked for.
type pace struct {
	next  int64         // offset that is to arrive
	last  time.Time     // of an arrival
	still time.Duration // the longest time between two
}

func startWatch(t testing.TB, s *site, topic string) *watch {
	t.Helper()
	client := s.Client(t, kgo.ConsumeTopics(topic), kgo.MetadataMaxAge(500*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.UnknownTopicRetries(-1), kgo.FetchMaxWait(200*time.Millisecond))
	w := &watch{topic: topic, site: s, paces: map[int32]*pace{}}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		for last := time.Now(); ctx.Err() == nil; {
			fetches := client.PollFetches(ctx)
			if n := fetches.NumRecords(); n > 0 {
				w.stall.Store(max(w.stall.Load(), int64(time.Since(last))))
				w.n.Add(int64(n))
				last = time.Now()
			}
			fetches.EachPartition(w.note)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

func (w *watch) note(p kgo.FetchTopicPartition) {
	if len(p.Records) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.paces[p.Partition] == nil {
		w.paces[p.Partition] = &pace{last: now}
	}
	x := w.paces[p.Partition]
	x.next, x.last, x.still = p.Records[len(p.Records)-1].Offset+1, now, max(x.still, now.Sub(x.last))
}

func (w *watch) await(t testing.TB, n int) {
	t.Helper()
	awaitFor(t, 2*patience, fmt.Sprintf("%d records in %s at %s", n, w.topic, w.site.alias), func() (string, bool) { return w.saw(n) })
}

func (w *watch) saw(n int) (string, bool) {
	got := int(w.n.Load())
	return fmt.Sprintf("%d records of %d", got, n), got >= n
}

// awaitMore waits for n records more than there are now.
func (w *watch) awaitMore(t testing.TB, n int) {
	t.Helper()
	w.await(t, int(w.n.Load())+n)
}

// longestStall returns the longest time without arrivals since the last call.
func (w *watch) longestStall() time.Duration {
	return time.Duration(w.stall.Swap(0)).Round(10 * time.Millisecond)
}

// longestStill is longestStall of the partition that stood still the longest.
func (w *watch) longestStill() (still time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.paces {
		still, x.still = max(still, x.still), 0
	}
	return still.Round(10 * time.Millisecond)
}

// awaitEach waits until so many offsets more arrived in each partition than its log has now.
func (w *watch) awaitEach(t testing.TB, more int64) {
	t.Helper()
	ends, err := logread.Bounds(t.Context(), w.site.Client(t), w.topic, logread.Uncommitted)
	if err != nil {
		t.Fatal(err)
	}
	await(t, fmt.Sprintf("%d records more in each partition of %s", more, w.topic), func() (string, bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for p, at := range ends {
			if x := w.paces[p]; x == nil || x.next < at.End+more {
				return fmt.Sprintf("not in partition %d", p), false
			}
		}
		return "", true
	})
}
