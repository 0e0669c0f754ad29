package flow

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshd/meshd/kafka"
)

const (
	fetchLeast     = 4 << 20  // of one answer of a near source
	fetchMaxBytes  = 16 << 20 // and of a far one
	fetchPartBytes = 1 << 20  // of one partition in it, where many are read
	fetchPartMost  = 8 << 20  // and where few are: over a long way an answer takes its time
	farAway        = 40 * time.Millisecond
	longPoll       = 500 * time.Millisecond
	shortPoll      = 50 * time.Millisecond // of a backlog, where a partition may wait to join the next fetch
)

// lane is one fetch session with one source broker.
type lane struct {
	f    *Fetcher
	id   laneID
	wake chan struct{}

	heard atomic.Int64 // when an answer came last that had room for all that is new, in ns: nothing had happened in what it did not name

	mu    sync.Mutex
	dirty map[*part]struct{} // to be looked at

	// of the loop:
	session *kafka.Session
	members map[kafka.Spot]*part
	waiting map[*part]time.Time // to be looked at then
	failed  int
	size    int64 // of a backlog's next answer
	rec     *recoder
}

func newLane(f *Fetcher, id laneID) *lane {
	cluster := f.tail
	if id.backlog {
		cluster = f.backlog
	}
	return &lane{
		f: f, id: id, wake: make(chan struct{}, 1), dirty: map[*part]struct{}{}, session: kafka.NewSession(cluster, id.broker),
		members: map[kafka.Spot]*part{}, waiting: map[*part]time.Time{}, rec: newRecoder(), size: fetchLeast,
	}
}

func (l *lane) touch(p *part) {
	l.mu.Lock()
	l.dirty[p] = struct{}{}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) loop() {
	if !l.id.backlog {
		l.f.budget.tails(1)
		defer l.f.budget.tails(-1)
	}
	for l.f.ctx.Err() == nil {
		now := time.Now()
		l.lookAtDirty(now)
		next := l.lookAtWaiting(now)
		if l.session.Len() == 0 {
			l.idle(next)
			continue
		}
		l.fetch()
	}
}

// idle waits until there may be something to do.
func (l *lane) idle(next time.Time) {
	var due <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-l.wake:
	case <-due:
	case <-l.f.ctx.Done():
	}
}

func (l *lane) lookAtDirty(now time.Time) {
	l.mu.Lock()
	var dirty map[*part]struct{}
	if len(l.dirty) > 0 {
		dirty, l.dirty = l.dirty, map[*part]struct{}{}
	}
	l.mu.Unlock()
	for p := range dirty {
		l.look(p, now)
	}
}

// lookAtWaiting returns when the next one is due; zero if none waits.
func (l *lane) lookAtWaiting(now time.Time) (next time.Time) {
	for p, at := range l.waiting {
		if !now.Before(at) {
			l.look(p, now)
		}
	}
	for _, at := range l.waiting {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// look asks a partition what it wants.
func (l *lane) look(p *part, now time.Time) {
	delete(l.waiting, p)
	spot := kafka.Spot{Topic: p.At, Number: p.Number}
	at, mine := l.f.has(l.id, p)
	var w kafka.Want
	var ok bool
	var again time.Time
	if mine {
		w, ok, again = p.want(now, l.room())
	}
	switch {
	case ok:
		w.Partition, w.MaxBytes = at, l.share()
		if l.id.broker != at.Leader {
			w.LeaderEpoch = -1 // a follower knows no epoch to be fenced by
		}
		l.session.Set(w)
		if l.members[spot] != p {
			l.members[spot] = p
			p.listen(&l.heard, now)
		}
		if !l.id.backlog {
			l.f.left(l.id, p)
		}
		return
	case mine && !l.id.backlog:
		l.f.move(p, l.id) // a tail is polled for long: what waits for something does so in the backlog
	case mine && !again.IsZero():
		l.waiting[p] = again
	}
	if l.members[spot] == p { // or another part of the same partition, which came later
		l.session.Drop(spot)
		delete(l.members, spot)
		p.hearNoMore(&l.heard)
	}
}

// share is how much of one partition an answer may bring.
func (l *lane) share() int32 {
	if !l.id.backlog {
		return fetchPartBytes
	}
	return int32(max(fetchPartBytes, min(fetchPartMost, int(l.size)/max(1, len(l.members)))))
}

// room is how much a partition may hold when more of it is asked for. Over a long way it is asked for while what came before is written.
func (l *lane) room() int {
	if l.size <= fetchLeast {
		return queueBytes
	}
	return max(queueBytes, 2*int(l.share()))
}

// fetch asks once, and gives the parts what came.
func (l *lane) fetch() {
	budget := l.f.budget
	freed := budget.changes()
	reserved, most, wait := int64(0), budget.tail(), longPoll
	if l.id.backlog {
		reserved = budget.take(l.size)
		most, wait = reserved, shortPoll
	}
	if most == 0 {
		select { // not before something was given back since it was refused
		case <-freed:
		case <-l.f.ctx.Done():
		}
		return
	}
	began := time.Now()
	got, err := l.session.Fetch(l.f.ctx, wait, int32(most))
	if err != nil {
		budget.give(reserved)
		l.fail(err)
		return
	}
	l.failed = 0
	lease := budget.lease(reserved, got)
	l.size = answerSize(l.size, lease.bytes, time.Since(began))
	for _, g := range got {
		l.deliver(g, lease)
	}
	if lease.bytes < most/2 {
		l.heard.Store(time.Now().UnixNano())
	}
	lease.done()
}

// answerSize is how much the next answer may bring after one that brought so much in so long. Over a long way an answer takes its time, and
// only a large one makes up for it; otherwise small ones do as well, and hold less memory.
func answerSize(size, got int64, took time.Duration) int64 {
	switch {
	case got < size/2: // there was no more, or no room
	case took > farAway:
		return min(2*size, fetchMaxBytes)
	case took < farAway/4:
		return max(size/2, fetchLeast)
	}
	return size
}

func (l *lane) deliver(g kafka.Got, lease *lease) {
	p := l.members[g.Want.Spot()]
	switch {
	case p == nil:
		return
	case g.Err != nil && l.f.follows(p):
		l.f.redirect(p, -1) // a follower may lag or be gone; only the leader is believed
	case g.Err == nil && g.PreferredReadReplica >= 0 && g.PreferredReadReplica != l.id.broker:
		l.f.redirect(p, g.PreferredReadReplica)
	default:
		if behind := p.deliver(g, lease, l.rec); behind != l.id.backlog {
			l.f.move(p, l.id)
		}
	}
	l.look(p, time.Now())
}

// fail is for a request that had no answer: the broker is asked again after a wait, and metadata may name another leader.
func (l *lane) fail(err error) {
	if l.f.ctx.Err() != nil {
		return
	}
	for _, p := range l.members {
		if l.f.follows(p) {
			l.f.redirect(p, -1)
			continue
		}
		p.fetchTrouble(err)
	}
	l.f.dir.Stale()
	l.failed++
	wait := min(50*time.Millisecond<<min(l.failed, 6), 2*time.Second)
	_ = kafka.Sleep(l.f.ctx, wait) // ended early is found by the loop
}
