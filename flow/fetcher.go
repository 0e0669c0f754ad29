package flow

import (
	"context"
	"sync"
	"time"

	"github.com/meshd/meshd/kafka"
)

// Fetcher reads raw batches from one source cluster, for all partitions that this node copies from there. Each broker has lanes, each with
// a fetch session of its own: the tail is for partitions that have been read to their end, the backlog for all others, so that no large
// answer holds up a small one. A partition begins in the backlog, and stays there until the tail reads it. A backlog is two lanes on one
// connection: while one's answer is under way, the broker has the other's request already.
type Fetcher struct {
	tail, backlog *kafka.Cluster // two clients, for a connection brings one answer after the other
	dir           *kafka.Directory
	budget        *Budget
	odd           bool            // where the last one that came has its backlog
	ctx           context.Context //nolint:containedctx // the life of the fetcher, ended by Close
	cancel        context.CancelFunc
	wg            sync.WaitGroup

	mu    sync.Mutex
	seats map[*part]*seat
	lanes map[laneID]*lane
}

type laneID struct {
	broker  int32
	backlog bool
	odd     bool // the second one of a backlog
}

// seat is where a partition is read.
type seat struct {
	laneID
	second  bool  // its lane in a backlog
	leaving bool  // the backlog reads it too, until the tail does
	replica int32 // the broker that its leader named as the closest one; -1: the leader itself
	until   time.Time
}

// behind is the lane of a broker's backlog in which the partition is read.
func (s *seat) behind(broker int32) laneID { return laneID{broker, true, s.second} }

// replicaFor is how long a partition is read from a follower before its leader is asked again, as Kafka's consumers do with their metadata.
const replicaFor = 5 * time.Minute

// NewFetcher starts a fetcher.
func NewFetcher(tail, backlog *kafka.Cluster, dir *kafka.Directory, b *Budget) *Fetcher {
	f := &Fetcher{tail: tail, backlog: backlog, dir: dir, budget: b, seats: map[*part]*seat{}, lanes: map[laneID]*lane{}}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.wg.Go(f.follow)
	return f
}

// Close ends the fetcher and returns when its goroutines have.
func (f *Fetcher) Close() {
	f.mu.Lock()
	f.cancel()
	f.mu.Unlock()
	f.wg.Wait()
}

// follow seats the partitions anew whenever leaders changed.
func (f *Fetcher) follow() {
	for {
		changed := f.dir.Changed()
		f.mu.Lock()
		for p, s := range f.seats {
			f.place(p, s)
		}
		f.mu.Unlock()
		select {
		case <-changed:
		case <-f.ctx.Done():
			return
		}
	}
}

func (f *Fetcher) add(p *part) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.odd = !f.odd
	s := &seat{laneID: laneID{broker: -1, backlog: true}, second: f.odd, replica: -1}
	f.seats[p] = s
	f.place(p, s)
}

func (f *Fetcher) remove(p *part) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.seats[p]; s != nil {
		delete(f.seats, p)
		f.touch(p, s)
	}
}

// place seats a partition in the backlog of another broker if it is not read from the right one. Its lane looks at it in any case: it may
// have left it while metadata had not the topic. It is called with the lock held.
func (f *Fetcher) place(p *part, s *seat) {
	at, ok := f.dir.Get(p.At, p.Number)
	if !ok || at.Leader < 0 {
		return // what is read of it says so
	}
	broker := at.Leader
	if s.replica >= 0 && time.Now().Before(s.until) {
		broker = s.replica
	}
	if broker != s.broker {
		f.reseat(p, s, s.behind(broker))
		return
	}
	f.touch(p, s)
}

// reseat is called with the lock held.
func (f *Fetcher) reseat(p *part, s *seat, to laneID) {
	was := *s
	s.laneID, s.leaving = to, to.broker == was.broker && was.backlog && !to.backlog
	if !s.leaving {
		f.touch(p, &was)
	}
	f.touch(p, s)
}

// touch has the lanes of a seat look at a partition. It is called with the lock held.
func (f *Fetcher) touch(p *part, s *seat) {
	if s.broker < 0 {
		return
	}
	f.lane(s.laneID).touch(p)
	if s.leaving {
		f.lane(s.behind(s.broker)).touch(p)
	}
}

func (f *Fetcher) lane(id laneID) *lane {
	l := f.lanes[id]
	if l == nil {
		l = newLane(f, id)
		f.lanes[id] = l
		if f.ctx.Err() == nil {
			f.wg.Go(l.loop)
		}
	}
	return l
}

// wakeFor has p's lane look at it: it has room again, or may be tried again.
func (f *Fetcher) wakeFor(p *part) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.seats[p]; s != nil {
		f.touch(p, s)
	}
}

// has says whether a lane reads p, and where p is. What was made again under the name of p's topic is not read: its offsets mean other
// records.
func (f *Fetcher) has(id laneID, p *part) (at kafka.Partition, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.seats[p]
	if s == nil || s.laneID != id && (!s.leaving || id != s.behind(s.broker)) {
		return at, false
	}
	at, ok = f.dir.Get(p.At, p.Number)
	return at, ok && at.TopicID == p.SourceID
}

// left has the backlog leave p, which is in the tail's session now.
func (f *Fetcher) left(id laneID, p *part) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.seats[p]; s != nil && s.laneID == id && s.leaving {
		s.leaving = false
		f.lane(s.behind(s.broker)).touch(p)
	}
}

// move seats p in the other lane of its broker, unless it was seated elsewhere meanwhile.
func (f *Fetcher) move(p *part, from laneID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.seats[p]; s != nil && s.laneID == from {
		if from.backlog {
			f.reseat(p, s, laneID{broker: from.broker})
		} else {
			f.reseat(p, s, s.behind(from.broker))
		}
	}
}

// redirect has p read from the replica that its leader named, or, with -1, from the leader again.
func (f *Fetcher) redirect(p *part, replica int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.seats[p]; s != nil {
		s.replica, s.until = replica, time.Now().Add(replicaFor)
		f.place(p, s)
	}
}

// broker is the one that p is read from; -1: none yet.
func (f *Fetcher) broker(p *part) int32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.seats[p]; s != nil {
		return s.broker
	}
	return -1
}

// follows says whether p is read from a follower of its leader's choice.
func (f *Fetcher) follows(p *part) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.seats[p]
	return s != nil && s.replica >= 0 && s.replica == s.broker
}
