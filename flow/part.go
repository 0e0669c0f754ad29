package flow

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// Spec names one partition to copy.
type Spec struct {
	Topic    string // at the source
	Number   int32
	Remote   string // its name at the destination
	SourceID [16]byte
	OnGap    string             // stop or continue
	Start    topology.Start     // for a partition without progress
	From     offsetxlate.Source // instead of Start, where another tool stopped; -1: none
	limit    *throttle          // nil: none
}

// Key is the partition's key in meshd's own topics.
func (s Spec) Key() string { return checkpoint.PartitionKey(s.Topic, s.Number) }

const (
	queueBytes  = 2 << 20          // a part asks for no more while it holds this much
	retryFailed = 15 * time.Second // a part that was refused tries again
	windowMost  = 5                // batches under way: a broker knows the last five of a producer, and takes a repeated one of them for what it is
	windowBytes = 2 << 20          // of them, but for a larger one alone
	windowAlone = time.Minute      // without an answer for so long, the next batch goes alone: a broker that forgot the writer would take the one behind it though it refused it
	shedAfter   = time.Second      // a part that is stuck holds nothing but what is under way
	stallAfter  = 10 * time.Second // and not even that
)

// chunk is one batch that is ready to be sent, but for its sequence.
type chunk struct {
	Flight
	lease *lease
	runs  []srcRun
	count int32
	next  offsetxlate.Source // after the last record of the batch, at the source
	epoch int32              // leader epoch of the batch at the source
	prior int32              // leader epoch of the offset before it there; -1 unknown
	from  srcPlace           // where it was read
	stamp int64              // the largest timestamp in it, ms
	first int64              // number of its first record in this writer's epoch
}

// srcPlace is where to read at the source, and the leader epoch of the offset before that; -1 unknown.
type srcPlace struct {
	next  offsetxlate.Source
	epoch int32
}

type srcRun struct {
	source offsetxlate.Source
	count  int32
}

// part is the copy of one partition under one epoch of its shard's writer.
type part struct {
	Spec
	owner  partOwner
	outlet *Outlet
	id     kafka.ProducerID
	budget *Budget
	// mapBytes bounds the offset map in memory.
	mapBytes int

	mu      sync.Mutex
	state   State
	reason  kafka.Reason
	retryAt time.Time

	at        offsetxlate.Source // next source offset to fetch
	lastEpoch int32
	passed    srcPlace // what is behind the frontier at the source
	turns     []turn
	queue     []*chunk
	queued    int      // bytes
	busy      []*chunk // under way, the oldest first
	flying    int      // bytes of busy
	answered  time.Time
	memory    time.Duration // for how long a leader remembers a producer, by the timestamp of its last batch
	weak      bool          // a leader may have forgotten this writer, and its fence
	weakened  bool          // something old was sent since the last marker was asked for
	markAt    time.Time     // when it was
	youngest  int64         // timestamp of the youngest batch or marker of this epoch that was sent, ms
	markers   int           // markers that may lie behind the last record
	full      bool          // it was asked what it wants, and had no room
	behind    bool          // the source has more than an answer brings
	assigned  int64         // records of this epoch that are in the queue or beyond
	sent      int64         // what the numbers below it mean stands, from when this epoch had the partition before
	unnoted   int64         // first record whose run is not acknowledged in the progress topic
	gone      int           // how often the part went back to what is acknowledged

	// prog is what the progress topic holds or is to hold next: the place of the last save, and every run since then. The
	// maps are saved before it, so that the runs from that place on are all that a successor needs to complete them.
	prog    checkpoint.Progress
	written int64            // records of this epoch that are acknowledged
	dest    offsetxlate.Dest // next offset after the last of them
	xlate   *offsetxlate.Map
	mark    offsetxlate.Mark     // what of the map is stored
	stale   []offsetxlate.Source // pages of another map in the store, to be deleted
	dirty   bool
	movedAt time.Time          // when something was read last, or there was nothing to read
	bad     *badPlace          // the last batch that could not be read
	cutAt   offsetxlate.Source // where a batch came in parts last, plus one
	stepped string             // what was left out last, for it could not be read; "" nothing
	broken  bool               // the epoch must end, or the part: what is under way stays as it is
	stats   Stats
	heard   *atomic.Int64 // when the lane that reads it was answered, in ns; nil: none does
	listens time.Time     // since when that counts
	settled chan struct{} // closed when nothing is under way any more; nil unless draining
}

// partOwner is what a part tells its shard.
type partOwner interface {
	needNote(*part)  // runs wait to be noted
	sure() bool      // this node was the owner a moment ago
	needProof(*part) // whether it still is has to be asked
	foundStrange(p *part, from, to offsetxlate.Dest)
	partFailed(error)              // the shard must take a new epoch
	partStuck(*part, kafka.Reason) // the destination has not answered for so long that the part is to be given up, and opened anew
	outOfRange(*part)              // the source does not hold the place that is to be read
	staleSource()                  // the source's metadata was wrong
	wakeFetch(*part)               // there is room again
	acked(p *part, stamp int64)    // a batch arrived
	steppedOver(s Spec, from, to offsetxlate.Source, why string)
}

// Stats counts what happened to a part since it was opened.
type Stats struct {
	Records, Bytes  int64
	Copied, Recoded int64 // batches, by the way that they took
	Merged          int64 // batches that went out in one with others
	Corrupt         int64 // batches that could not be believed, or not read
	Gaps            int64 // stretches that the source did not hold, or that could not be read there, stepped over by policy
	GapRecords      int64
	Aborted         int64 // records of aborted transactions that were left out
	Zombie          int64 // records that an older owner wrote behind the back of a later one
	Foreign         int64 // records that something else wrote into the copy, as far as they were seen
	Recopied        int64 // source offsets that the destination had acknowledged, and lost
	SourceEnd       int64
	SourceStable    int64 // last stable offset: an open transaction holds back what is beyond
	SeenAt          time.Time
}

const nothingUnnoted = int64(1) << 62

// want is called by the fetcher: where to read, and whether to read at all now. If not, it is asked again when it wakes the fetcher, or
// at a time, if there is one.
func (p *part) want(now time.Time) (w kafka.Want, ok bool, again time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.state == Failed || p.state == Backoff:
		if now.Before(p.retryAt) {
			return w, false, p.retryAt
		}
	case p.state != CatchingUp && p.state != Streaming:
		return w, false, again
	}
	if p.queued+p.flying >= queueBytes || p.shedding() {
		p.full = true
		return w, false, again
	}
	if p.limit != nil {
		if again = p.limit.ready(now); !again.IsZero() {
			return w, false, again
		}
	}
	return kafka.Want{Offset: int64(p.at), LastEpoch: p.lastEpoch}, true, again
}

// deliver takes what a fetch brought, and says whether the source has much more. A part that went back meanwhile has no use for it: it
// would skip what lies between.
func (p *part) deliver(g kafka.Got, l *lease, rec *recoder) (behind bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == Draining || p.state == Stopped || g.Want.Offset != int64(p.at) {
		return p.behind
	}
	p.take(g, l, rec)
	switch {
	case int64(p.at) >= p.stats.SourceStable:
		p.behind = false
	case g.FetchResponseTopicPartition != nil && len(g.RecordBatches) >= fetchPartBytes/2:
		p.behind = true
	}
	return p.behind
}

func (p *part) take(g kafka.Got, l *lease, rec *recoder) {
	if g.Err != nil {
		p.fetchError(g)
		return
	}
	if at, diverged := g.Diverged(); diverged {
		p.tookBack(srcPlace{offsetxlate.Source(at), g.DivergingEpoch.Epoch}, fmt.Sprintf("the source's log was truncated to offset %d after offset %d had been read", at, p.at-1))
		return
	}
	if int64(p.at) >= p.stats.SourceStable {
		p.movedAt = time.Now() // there was nothing to be had until now
	}
	p.stats.SourceEnd, p.stats.SourceStable, p.stats.SeenAt = g.HighWatermark, g.LastStableOffset, time.Now()
	p.prog.SourceEnd, p.prog.SeenAt = offsetxlate.Source(g.HighWatermark), p.stats.SeenAt.UnixMilli()
	if p.limit != nil {
		p.limit.spend(len(g.RecordBatches), time.Now())
	}
	p.accept(g, l, rec)
}

func (p *part) accept(g kafka.Got, l *lease, rec *recoder) {
	got, err := prepare(g.FetchResponseTopicPartition, p.at, p.lastEpoch, rec)
	for _, c := range got.chunks {
		if c.lease = l.keep(); c.Own {
			l.done()
			c.lease = p.budget.own(len(c.Data))
		}
		p.enqueue(c)
	}
	p.turned(got.turns)
	if got.next > p.at {
		p.at, p.movedAt = got.next, time.Now()
	}
	if got.epoch >= 0 {
		p.lastEpoch = got.epoch
	}
	p.stats.Copied += got.copied
	p.stats.Recoded += got.recoded
	p.stats.Aborted += got.aborted
	if err != nil && !p.mayBeCut(err) {
		p.corrupt(err)
		p.pump()
		return
	}
	p.recover()
	p.advanceIdle()
	p.pump()
}

// advanceIdle moves the frontier over markers and aborted records behind which nothing has come yet.
func (p *part) advanceIdle() {
	if len(p.queue) > 0 || len(p.busy) > 0 || p.prog.SourceOf(p.assigned) >= p.at {
		return
	}
	p.addRun(p.assigned, p.at)
	p.pass(p.at, p.lastEpoch)
	p.dirty = true
	if p.at <= p.xlate.End().Src {
		return // the map was stored, and the place was not: it is read again
	}
	if err := p.xlate.AdvanceSource(p.at); err != nil {
		p.fail(fmt.Errorf("mapping offsets of %s: %w", p.Key(), err))
	}
}

func (p *part) pass(next offsetxlate.Source, epoch int32) { p.passed = srcPlace{next, epoch} }

// epochBefore is the leader epoch of the offset before the frontier, which prog.Source is; -1 where it is not known: with an older one the
// source would say that its log is another.
func (p *part) epochBefore() int32 {
	switch {
	case p.prog.Source <= p.passed.next:
		return p.passed.epoch
	case len(p.busy) > 0:
		return p.busy[0].prior
	case len(p.queue) > 0:
		return p.queue[0].prior
	}
	return -1
}

// recover leaves a state of trouble after a good answer, and tells a backlog from a tail.
func (p *part) recover() {
	next := Streaming
	if int64(p.at) < p.stats.SourceStable {
		next = CatchingUp
	}
	if p.state != next && p.state.May(next) {
		p.state, p.reason = next, kafka.Reason{}
	}
}

func (p *part) enqueue(c *chunk) {
	c.first = p.assigned
	if !p.meant(c) {
		c.lease.done()
		p.fail(errMeaning)
		return
	}
	n := c.first
	for _, r := range c.runs {
		if p.prog.SourceOf(n) != r.source {
			p.addRun(n, r.source)
		}
		n += int64(r.count)
	}
	p.assigned = n
	p.queue = append(p.queue, c)
	p.queued += len(c.Data)
}

var errMeaning = errors.New("the source gives other records than those that were sent before under the same sequence numbers")

// meant says whether the records of a chunk are those that their numbers stand for, where batches with these numbers were sent before and
// may still arrive: one with the same numbers is taken for a repeated one, whatever is in it.
func (p *part) meant(c *chunk) bool {
	n := c.first
	for _, r := range c.runs {
		for i := range int64(r.count) {
			if n >= p.sent {
				return true
			}
			if p.prog.SourceOf(n) != r.source+offsetxlate.Source(i) {
				return false
			}
			n++
		}
	}
	return true
}

// addRun notes that record number n comes from source. It goes to the progress topic before that record goes out.
func (p *part) addRun(n int64, source offsetxlate.Source) {
	if n < p.sent {
		p.fail(errMeaning)
		return
	}
	if l := len(p.prog.Ahead); l > 0 && p.prog.Ahead[l-1].Written == n {
		p.prog.Ahead = p.prog.Ahead[:l-1]
	}
	p.prog.Ahead = append(p.prog.Ahead, checkpoint.Run{Written: n, Source: source})
	p.unnoted = min(p.unnoted, n)
}

// mayPump says whether what is queued may go out. What stops reading holds back nothing that was read before.
func (p *part) mayPump() bool { return !p.broken && p.state != Draining }

// pump sends what may go out now.
func (p *part) pump() {
	for len(p.queue) > 0 && p.mayPump() {
		if !p.gather() {
			return
		}
		c := p.queue[0]
		if c.first+int64(c.count) > p.unnoted {
			p.owner.needNote(p)
			return
		}
		if !p.maySend(c) {
			return
		}
		if err := batch.Patch(c.Data, p.id.ID, p.id.Epoch, sequence(c.first)); err != nil {
			p.fail(fmt.Errorf("patching a batch of %s: %w", p.Key(), err))
			return
		}
		p.queue[0] = nil
		p.queue = p.queue[1:]
		p.busy = append(p.busy, c)
		p.queued -= len(c.Data)
		p.flying += len(c.Data)
		c.Bulk = p.behind
		p.outlet.Send(&c.Flight)
	}
}

// gather makes the head of the queue what is to go out next; false: it has to wait for an answer. Small batches wait for others to be
// merged with while one is under way, as small segments do on a TCP connection (RFC 896).
func (p *part) gather() bool {
	if len(p.busy) == 0 {
		p.mergeHead()
		return true
	}
	head := p.queue[0]
	if len(p.busy) >= p.window() || p.flying+len(head.Data) > windowBytes {
		return false
	}
	if len(head.Data) >= mergeBelow {
		return true
	}
	if p.queued < mergeUpTo {
		return false
	}
	p.mergeHead()
	return true
}

// window is how many batches may be under way.
func (p *part) window() int {
	if p.weak || time.Since(p.answered) > windowAlone {
		return 1
	}
	return windowMost
}

// noted is called when the progress topic has acknowledged all runs that begin below m.through. One that begins there may have come, or
// changed, since the note was taken; and a part that went back has other runs than those that were noted.
func (p *part) noted(m noteMark) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.gone != p.gone {
		return
	}
	p.unnoted = nothingUnnoted
	for _, r := range p.prog.Ahead {
		if r.Written >= m.through {
			p.unnoted = r.Written
			break
		}
	}
	p.pump()
}

func (p *part) onAck(a Ack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.busy) == 0 || p.state == Stopped || p.broken {
		return
	}
	c := p.busy[0]
	if a.Err != nil {
		p.refused(c, a.Err)
		return
	}
	if offsetxlate.Dest(a.Base) < p.dest {
		p.fail(truncatedAt(offsetxlate.Dest(a.Base), p.dest))
		return
	}
	if past := p.dest + offsetxlate.Dest(p.markers); offsetxlate.Dest(a.Base) > past {
		p.owner.foundStrange(p, p.dest, offsetxlate.Dest(a.Base))
	}
	p.markers = 0
	p.arrived(c, a)
	p.advanceIdle()
	p.pump()
	p.tellSettled()
	p.owner.acked(p, c.stamp)
	if p.full && p.queued+p.flying < queueBytes {
		p.full = false
		p.owner.wakeFetch(p)
	}
}

func (p *part) arrived(c *chunk, a Ack) {
	at := offsetxlate.Dest(a.Base)
	for _, r := range c.runs {
		if err := p.xlate.Append(r.source, at, int64(r.count)); err != nil {
			p.fail(fmt.Errorf("mapping offsets of %s: %w", p.Key(), err))
			return
		}
		at += offsetxlate.Dest(r.count)
	}
	p.written, p.dest = c.first+int64(c.count), at
	p.prog.DestEpoch = max(p.prog.DestEpoch, a.Epoch)
	p.pass(c.next, c.epoch)
	p.stats.Records += int64(c.count)
	p.stats.Bytes += int64(len(c.Data))
	p.flying -= len(c.Data)
	c.lease.done()
	p.busy = append(p.busy[:0], p.busy[1:]...)
	p.dirty, p.answered = true, time.Now()
}

// shedding says whether the destination has not answered for so long that nothing more is to be held for it.
func (p *part) shedding() bool {
	since, err := p.outlet.Trouble()
	return err != nil && time.Since(since) > shedAfter
}

// stuck is called when a batch has to be repeated.
func (p *part) stuck() {
	since, err := p.outlet.Trouble()
	if err == nil || time.Since(since) <= shedAfter {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == Stopped || p.broken || len(p.busy) == 0 {
		return
	}
	if time.Since(since) > stallAfter {
		p.broken = true
		p.owner.partStuck(p, kafka.Because(kafka.DestinationUnreachable, fmt.Sprintf("%s has not taken a batch since %s: %v", p.Key(), since.Format(time.RFC3339), err), kafka.Hint(err)))
		return
	}
	p.shed()
}

// shed gives all memory back but that of what is under way, and holds that alone: it shared an answer's.
func (p *part) shed() {
	p.dropQueue()
	for _, c := range p.busy {
		if !c.Own {
			c.Own, c.Data = true, bytes.Clone(c.Data)
			c.lease.done()
			c.lease = p.budget.own(len(c.Data))
		}
	}
}

// fail ends the shard's epoch. Until it has ended the part takes no answer and sends nothing: what is under way is not what it believed.
func (p *part) fail(err error) {
	p.broken = true
	p.owner.partFailed(err)
}

// refused is for a definite no of the destination. Nothing of the batch is there, so the part goes on from what is
// acknowledged once the reason is gone; only a broken sequence needs a new epoch.
func (p *part) refused(c *chunk, err error) {
	switch kafka.Classify(err) {
	case kafka.Fenced, kafka.Sequence:
		p.fail(err)
		return
	case kafka.TooLarge:
		p.stop(Failed, kafka.Because(kafka.RecordTooLarge, fmt.Sprintf("the batch of %d bytes at source offset %d is larger than %s takes", len(c.Data), c.runs[0].source, p.Remote),
			"raise max.message.bytes of "+p.Remote+" at the destination: kafka-configs.sh --alter --topic "+p.Remote+" --add-config max.message.bytes=BYTES"))
	case kafka.Denied:
		p.stop(Failed, denied(err, "writing to", p.Remote, "Write", "Describe"))
	case kafka.Gone:
		p.stop(Failed, kafka.Because(kafka.DestinationMissing, fmt.Sprintf("topic %s is not there any more", p.Remote), "a copy that was deleted is not made again: exclude "+p.Topic+" from the link"))
	default:
		if damage := unsound(c); damage != nil {
			p.rewind()
			p.corrupt(damage)
			return
		}
		p.stop(Failed, kafka.Because(kafka.Rejected, fmt.Sprintf("source offset %d: %v", c.runs[0].source, err), kafka.Hint(err)))
	}
	p.rewind()
}

func (p *part) stop(s State, r kafka.Reason) {
	if p.state.May(s) || p.state == s {
		p.state, p.reason, p.retryAt = s, r, time.Now().Add(retryFailed)
	}
}

// denied is for a right that is missing on a topic.
func denied(err error, doing, topic string, operations ...string) kafka.Reason {
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		err = kafka.WithHint(err, kafka.Grant("--topic "+topic, operations...))
	}
	return kafka.Explain(fmt.Errorf("%s %s: %w", doing, topic, err), kafka.PermissionDenied)
}

// fetchTrouble is for a source broker that did not answer.
func (p *part) fetchTrouble(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop(Backoff, kafka.Explain(err, kafka.SourceUnreachable))
	p.retryAt = time.Time{}
}

// fetchError is the table of what a source partition's error means.
func (p *part) fetchError(g kafka.Got) {
	err := g.Err
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange):
		p.stop(Backoff, kafka.Because(kafka.SourceUnreachable, fmt.Sprintf("offset %d is not in the source's log", p.at), ""))
		p.owner.outOfRange(p)
		return
	case kafka.Classify(err) == kafka.Gone:
		p.stop(Failed, kafka.Because(kafka.SourceDeleted, fmt.Sprintf("topic %s is not at the source any more, or was made again", p.Topic), "records that arrived stay; a topic that was made again needs a decision"))
		p.owner.staleSource()
		return
	case kafka.Classify(err) == kafka.Denied:
		p.stop(Failed, denied(err, "reading", p.Topic, "Read", "Describe"))
		return
	case errors.Is(err, kerr.CorruptMessage):
		p.corrupt(errors.New("the source's broker finds it corrupt"))
		return
	}
	p.stop(Backoff, kafka.Explain(err, kafka.SourceUnreachable))
	p.retryAt = time.Now().Add(100 * time.Millisecond)
	p.owner.staleSource()
}
