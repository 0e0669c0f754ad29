package flow

import (
	"sync"
	"time"

	"github.com/meshd/meshd/kafka"
)

// Flight is one batch on its way. Until it is answered it is the outlet's, but for the time of a call of stuck.
type Flight struct {
	Data    []byte
	Own     bool // it shares its memory with no other
	Bulk    bool // of a partition that is being caught up
	Guarded bool // it goes only while this node is known to be the owner
	state   flightState
	base    int64
	epoch   int32 // leader epoch of the partition when it was sent
	err     error
}

type flightState int

const (
	waiting flightState = iota // to be sent
	sent
	acked
	failed // a definite no
)

// Ack is the destination's answer to one batch.
type Ack struct {
	Base  int64 // offset of the batch's first record
	Epoch int32 // leader epoch of the partition when the batch was sent, as far as it was known
	Err   error // final: what could be repeated was repeated. All batches behind it are dropped.
}

// Outlet is the place of one partition in the produce stream. Batches go out in order, several at a time, and are answered in order. A
// batch without an answer is sent again, byte for byte, until there is one: the broker tells a repeated batch by its sequence, among the
// last five. Until then nothing else of the partition is under way.
type Outlet struct {
	producer *Producer
	topic    string
	number   int32
	id       [16]byte    // of the topic that is meant; zero: whichever has the name
	done     func(Ack)   // on a goroutine of the producer, one at a time
	stuck    func()      // when nothing is under way because a batch has to be repeated; may be nil
	guard    func() bool // whether a guarded batch may go now. If not, Go is called when it may.

	mu         sync.Mutex
	window     []*Flight // in the order of their sequences
	out        int       // under way
	queued     bool      // waits for a sender, or for the time to try again
	bulk       bool      // what is under way is in the backlog's stream
	repeating  bool      // window[0] goes first and alone
	tries      int
	trouble    error // why window[0] is being repeated
	since      time.Time
	acks       []Ack // to be told
	delivering bool
	closed     bool
}

// Send adds a batch; at most five may be unanswered. done is called once for it, unless the outlet is closed before.
func (o *Outlet) Send(f *Flight) {
	o.mu.Lock()
	f.state = waiting
	o.window = append(o.window, f)
	wake := !o.queued && !o.repeating && !o.closed
	o.queued = o.queued || wake
	o.mu.Unlock()
	if wake {
		o.producer.enqueue(o)
	}
}

// Close forgets the batches that are not answered: their answers are not told.
func (o *Outlet) Close() {
	o.mu.Lock()
	o.closed, o.window, o.acks = true, nil, nil
	o.mu.Unlock()
}

// Trouble says why the first batch is being repeated, and since when; nil if it is not.
func (o *Outlet) Trouble() (since time.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.since, o.trouble
}

// Go sends what waits, if it does not already.
func (o *Outlet) Go() {
	o.mu.Lock()
	wake := !o.closed && !o.queued && o.next() >= 0
	o.queued = o.queued || wake
	o.mu.Unlock()
	if wake {
		o.producer.enqueue(o)
	}
}

// stream says in which stream the next batch is to go: the backlog's, or the tail's.
func (o *Outlet) stream() (bulk bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if next := o.next(); next >= 0 {
		return o.window[next].Bulk
	}
	return o.bulk
}

// take returns the batch to send now in a stream and under a leader epoch, if any, and whether another may follow in its next request.
func (o *Outlet) take(bulk bool, epoch int32) (f *Flight, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := o.next()
	if next < 0 {
		o.queued = false
		return nil, false
	}
	f = o.window[next]
	if f.Guarded && !o.guard() {
		o.queued = false
		return nil, false
	}
	f.state, f.epoch, o.bulk = sent, epoch, bulk
	o.out++
	o.queued = o.next() >= 0
	return f, o.queued
}

// next is the first batch that may be sent; -1: none. What goes in the other stream waits until nothing is under way in this one, or it
// would overtake.
func (o *Outlet) next() int {
	if o.repeating && o.out > 0 {
		return -1
	}
	for i, f := range o.window {
		switch {
		case f.state == waiting && o.out > 0 && f.Bulk != o.bulk:
			return -1
		case f.state == waiting:
			return i
		case f.state == failed, o.repeating:
			return -1
		}
	}
	return -1
}

// answer handles what came back for a batch.
func (o *Outlet) answer(f *Flight, base int64, err error) {
	o.mu.Lock()
	o.out--
	if o.closed {
		o.mu.Unlock()
		return
	}
	o.judge(f, base, err)
	o.settle()
	o.goOn()
}

// goOn tells what is answered, and has the next batch sent, or the first one again. It is called with the lock held, and lets go of it.
func (o *Outlet) goOn() {
	stuck := o.repeating && o.out == 0 && !o.queued
	wake := !stuck && !o.queued && o.next() >= 0
	o.queued = o.queued || wake
	o.tell()
	o.mu.Unlock()
	switch {
	case stuck:
		o.again()
	case wake:
		o.producer.enqueue(o)
	}
}

// noPlace is for an outlet whose partition has no leader that is known.
func (o *Outlet) noPlace(err error) {
	o.mu.Lock()
	o.queued = false
	if o.closed || o.next() < 0 {
		o.mu.Unlock()
		return
	}
	o.repeat(err)
	o.mu.Unlock()
	time.AfterFunc(0, o.resume) // Send may have called, with locks held that stuck takes
}

// resume goes on where there was no place.
func (o *Outlet) resume() {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return
	}
	o.goOn()
}

func (o *Outlet) judge(f *Flight, base int64, err error) {
	switch outcomeOf(err) {
	case answered:
		f.state, f.base = acked, base
		return
	case final:
		if f == o.window[0] || kafka.Classify(err) != kafka.Sequence {
			f.state, f.err = failed, err
			return
		}
		// A batch before it is not there yet, so this one came too early.
	case repeat:
	}
	f.state = waiting
	o.repeat(err)
}

func (o *Outlet) repeat(err error) {
	o.repeating = true
	if o.trouble == nil {
		o.since = time.Now()
	}
	o.trouble = err
}

// settle takes what is answered from the front of the window.
func (o *Outlet) settle() {
	n := 0
	for n < len(o.window) && o.window[n].state == acked {
		o.acks = append(o.acks, Ack{o.window[n].base, o.window[n].epoch, nil})
		n++
	}
	if n > 0 {
		o.window = append(o.window[:0], o.window[n:]...)
		o.repeating, o.trouble, o.tries = o.repeating && len(o.window) > 0 && o.out > 0, nil, 0
	}
	if o.out == 0 && len(o.window) > 0 && o.window[0].state == failed {
		o.acks = append(o.acks, Ack{Err: o.window[0].err})
		o.window, o.repeating, o.trouble, o.tries = o.window[:0], false, nil, 0
	}
}

// tell calls done for what is answered, in order. It is called with the lock held, and lets go of it meanwhile.
func (o *Outlet) tell() {
	if o.delivering {
		return
	}
	o.delivering = true
	for len(o.acks) > 0 {
		acks := o.acks
		o.acks = nil
		o.mu.Unlock()
		for _, a := range acks {
			o.done(a)
		}
		o.mu.Lock()
	}
	o.delivering = false
}

// goneAfter is how long a topic may be unknown to its broker before that is believed: a new topic is not known everywhere at once.
const goneAfter = 15 * time.Second

// again has the first batch sent once more after a while.
func (o *Outlet) again() {
	o.mu.Lock()
	if o.closed || o.queued || o.out > 0 || len(o.window) == 0 {
		o.mu.Unlock()
		return
	}
	o.queued = true // stuck may exchange what is to be sent
	o.mu.Unlock()
	if o.stuck != nil {
		o.stuck()
	}
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return
	}
	if kafka.Classify(o.trouble) == kafka.Gone && time.Since(o.since) > goneAfter {
		o.queued = false
		o.window[0].state, o.window[0].err = failed, o.trouble
		o.settle()
		o.goOn()
		return
	}
	o.tries++
	wait := min(20*time.Millisecond<<min(o.tries, 8), 2*time.Second)
	o.mu.Unlock()
	o.producer.dir.Stale()
	time.AfterFunc(wait, func() { o.producer.enqueue(o) })
}

type outcome int

const (
	answered outcome = iota
	repeat
	final
)

// outcomeOf is the table of what an answer to a produce request means for the batch under way.
func outcomeOf(err error) outcome {
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
