package raftstore

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// outOfTouch is how long a leader's heartbeats to a node have to fail until it counts as out of touch: one that is late does not.
const outOfTouch = time.Second

// contacts follows, from raft's observations, who leads and which nodes a leader does not reach.
type contacts struct {
	raft     *raft.Raft
	observer *raft.Observer
	changed  func() // the leader, or this node's part
	stop     chan struct{}
	done     sync.WaitGroup

	mu      sync.Mutex
	failing map[string]time.Time // by node, since when
}

func watchContacts(r *raft.Raft, changed func()) *contacts {
	c := &contacts{raft: r, changed: changed, stop: make(chan struct{}), failing: map[string]time.Time{}}
	observations := make(chan raft.Observation, 256) // raft drops what doesn't fit, rather than wait
	c.observer = raft.NewObserver(observations, false, func(o *raft.Observation) bool {
		switch o.Data.(type) {
		case raft.LeaderObservation, raft.RaftState, raft.FailedHeartbeatObservation, raft.ResumedHeartbeatObservation:
			return true
		default:
			return false
		}
	})
	r.RegisterObserver(c.observer)
	c.done.Go(func() {
		for {
			select {
			case o := <-observations:
				c.note(o.Data)
			case <-c.stop:
				return
			}
		}
	})
	return c
}

func (c *contacts) note(data any) {
	c.mu.Lock()
	switch o := data.(type) {
	case raft.FailedHeartbeatObservation:
		if _, known := c.failing[string(o.PeerID)]; !known {
			c.failing[string(o.PeerID)] = time.Now()
		}
	case raft.ResumedHeartbeatObservation:
		delete(c.failing, string(o.PeerID))
	case raft.RaftState:
		clear(c.failing) // of another term of leading
	}
	c.mu.Unlock()
	switch data.(type) {
	case raft.LeaderObservation, raft.RaftState:
		c.changed()
	}
}

func (c *contacts) lost(node string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	since, failing := c.failing[node]
	return failing && now.Sub(since) >= outOfTouch
}

func (c *contacts) end() {
	c.raft.DeregisterObserver(c.observer)
	close(c.stop)
	c.done.Wait()
}

// InTouch says whether a leader reaches another node: what it proposes gets there. Of a node that does not lead it is always true.
func (s *Store) InTouch(node string) bool { return !s.watching.lost(node, time.Now()) }
