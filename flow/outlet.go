package flow

import (
	"sync"
	"time"

	"github.com/meshd/meshd/kafka"
)

// Ack is the destination's answer to one batch.
type Ack struct {
	Base int64 // offset of the batch's first record
	Err  error // final: what could be repeated was repeated
}

// Outlet is the place of one partition in the produce stream. One batch is under way at a time, and a batch without an answer
// is sent again, byte for byte, until there is one: the broker tells a repeated batch by its sequence.
type Outlet struct {
	producer *Producer
	topic    string
	number   int32

	mu      sync.Mutex
	batch   []byte
	done    func(Ack)
	tries   int
	trouble error // why the batch under way has no answer yet
	since   time.Time
	closed  bool
}

// Send starts a batch. done is called once, on a goroutine of the producer, unless the outlet is closed before.
func (o *Outlet) Send(batch []byte, done func(Ack)) {
	o.mu.Lock()
	o.batch, o.done, o.tries = batch, done, 0
	o.mu.Unlock()
	o.producer.enqueue(o)
}

// Close forgets the batch under way: its answer is not reported.
func (o *Outlet) Close() {
	o.mu.Lock()
	o.closed, o.batch, o.done = true, nil, nil
	o.mu.Unlock()
}

// Trouble says why the batch under way is being repeated, and since when; nil if it is not.
func (o *Outlet) Trouble() (since time.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.since, o.trouble
}

// take returns the batch to send; nil if there is nothing to do any more.
func (o *Outlet) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.batch
}

// answer handles what came back for the batch.
func (o *Outlet) answer(base int64, err error) {
	switch kafkaClass(err) {
	case answered:
		o.finish(Ack{Base: base})
	case final:
		o.finish(Ack{Err: err})
	default:
		o.again(err)
	}
}

func (o *Outlet) finish(a Ack) {
	o.mu.Lock()
	done := o.done
	o.batch, o.done, o.trouble = nil, nil, nil
	o.mu.Unlock()
	if done != nil {
		done(a)
	}
}

// goneAfter is how long a topic may be unknown to its broker before that is believed: a new topic is not known everywhere at once.
const goneAfter = 15 * time.Second

func (o *Outlet) again(err error) {
	o.mu.Lock()
	if o.trouble == nil {
		o.since = time.Now()
	}
	o.trouble = err
	o.tries++
	wait := min(20*time.Millisecond<<min(o.tries, 8), 2*time.Second)
	gone := kafka.Classify(err) == kafka.Gone && time.Since(o.since) > goneAfter
	o.mu.Unlock()
	if gone {
		o.finish(Ack{Err: err})
		return
	}
	o.producer.dir.Stale()
	time.AfterFunc(wait, func() { o.producer.enqueue(o) })
}

type outcome int

const (
	answered outcome = iota
	repeat
	final
)

// kafkaClass is the table of what an answer to a produce request means for the batch under way.
func kafkaClass(err error) outcome {
	if err == nil {
		return answered
	}
	switch kafka.Classify(err) {
	case kafka.Retry, kafka.Moved, kafka.Unreachable, kafka.Gone:
		return repeat // the outcome is unknown or the place was wrong: the same bytes again
	case kafka.Fenced, kafka.Sequence, kafka.TooLarge, kafka.Denied, kafka.Refused:
		return final // a definite no: the part or its shard decides
	}
	return final
}
