package chaos

import (
	"fmt"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/wire"
)

// scenario is a hole that a writer has to close, and how it comes about.
type scenario struct {
	name    string
	configs []string // of the source's topic
	play    func(*stage)
}

// Batches of an owner that was taken over arrive after its heir has read how far the copy is, and before the heir's first batch.
var lateBatches = scenario{name: "late batches", play: func(s *stage) {
	owner, heir := s.ownerAndHeir()
	late := s.hold(owner, s.data)
	s.write(50)
	s.await("batches of "+owner.name+" on the way", func() bool { return late.Held() > 0 })
	owner.signal(s.t, syscall.SIGSTOP)
	first := s.hold(heir, s.data)
	s.await(heir.name+" to go on", func() bool { return first.Held() > 0 })
	late.Release()
	s.await("what the batches of "+owner.name+" come to", late.Answered)
	first.Release()
	s.arrived()
	owner.Kill()
}}

// Batches of an owner that was taken over are in its leader's log, and nobody sees them, for a follower gets nothing: the heir reads up to
// the high watermark.
var unseenBatches = scenario{name: "unseen batches", play: func(s *stage) {
	owner, heir := s.ownerAndHeir()
	const leader, follower = 1, 2
	s.place(leader, follower)
	before := s.sent(owner, s.data)
	replication := fmt.Sprintf("broker-%d-fetcher-0", follower) // as Kafka's ReplicaFetcherThread calls itself
	s.eu.inner.Strike(replication, wire.Late)
	defer s.eu.inner.Strike(replication, wire.None)
	s.write(50)
	s.await("batches of "+owner.name+" at the broker", func() bool { return s.sent(owner, s.data) > before })
	if s.look(time.Second, func() bool { return s.copied() > s.written-50 }) { // long enough for one that went to the leader before, too
		s.t.Fatal("they are seen at once")
	}
	owner.signal(s.t, syscall.SIGSTOP)
	first, told := s.hold(heir, s.data), heir.said("the fence's marker did not appear")
	s.await(heir.name+" to go on, or to say why not", func() bool {
		return first.Held() > 0 || heir.said("the fence's marker did not appear") > told
	})
	s.eu.inner.Strike(replication, wire.None)
	first.Release()
	s.arrived()
	owner.Kill()
}}

// A place that an owner saved arrives after its heir has gone on and saved its own; then another owner begins there.
var lateProgress = scenario{name: "late progress", play: func(s *stage) {
	owner, heir := s.ownerAndHeir()
	late := s.hold(owner, s.progress)
	s.write(50)
	s.arrived()
	s.await("a place saved by "+owner.name+" on the way", func() bool { return late.Held() > 0 })
	owner.signal(s.t, syscall.SIGSTOP)
	before := s.sent(heir, s.progress)
	s.write(50)
	s.arrived()
	s.await("a place saved by "+heir.name, func() bool { return s.sent(heir, s.progress) > before })
	heir.Kill()
	late.Release()
	s.await("what the place of "+owner.name+" comes to", late.Answered)
	owner.Kill()
	s.start(s.t, heir.name)
}}

// An owner dies whose notes of what its sequences mean, over a source with gaps, never arrived.
var unnotedRuns = scenario{name: "notes that never arrive", play: func(s *stage) {
	owner, _ := s.ownerAndHeir()
	lost := s.hold(owner, s.progress)
	for range 5 {
		s.writeTransaction(10)
	}
	s.await("a note of "+owner.name+" on the way", func() bool { return lost.Held() > 0 })
	s.look(3*time.Second, func() bool { return s.copied() >= s.written }) // it is not to come
	owner.Kill()
	lost.Drop()
}}

// An owner dies that wrote more than its last place says.
var unsavedPlace = scenario{name: "a place that is not saved", play: func(s *stage) {
	owner, _ := s.ownerAndHeir()
	lost := s.hold(owner, s.progress)
	s.write(50)
	s.arrived()
	owner.Kill()
	lost.Drop()
}}

// Every record is decoded and written anew: its time is the broker's, which a batch that is copied whole does not keep.
var rewritten = scenario{name: "records written anew", configs: []string{"message.timestamp.type", "LogAppendTime"}, play: func(s *stage) {
	s.write(500)
	s.arrived()
}}

// codec is that of what a stage writes.
var codec = kgo.Lz4Compression()
