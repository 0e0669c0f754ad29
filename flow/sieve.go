package flow

import (
	"time"

	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// sieve says which batches and records of a source's log a part takes: those of its origin that its destination has not got. It is the
// part's, and used with the part's lock held.
type sieve struct {
	seen   stretch             // that was fetched already when something had to be waited for
	placed *noter              // by whose notes the place was found where it is read; nil: a batch has shown that it is right
	met    map[int64]time.Time // ids of writers that are not those of the notes that were read
	*registered
	prefix      *loop.PrefixJudge // prefix naming
	judge       *loop.Judge       // identity naming
	*translated                   // prefix naming, not read at the origin
	places      places            // of batches that no registered writer wrote
	originID    loop.ClusterID
	origin      loop.Origin
	incarnation int32 // of the records that come
	counts      loop.Counters
	stamped     int64 // records that got a header
}

// batch judges a batch of an answer that arrived at a tick.
func (s *sieve) batch(b batch.Batch, fetched loop.Tick) (v loop.Ruling) {
	of := batchOf(b, fetched)
	s.with(func(w *loop.Writers, o *loop.Origins) {
		if s.prefix != nil {
			s.prefix.Writers = w
			v = s.prefix.Batch(of)
			return
		}
		s.judge.Writers, s.judge.Origins = w, o
		v = s.judge.Batch(of)
	})
	s.counts.Count(v, b.Count())
	return v
}

func batchOf(b batch.Batch, fetched loop.Tick) loop.Batch {
	of := loop.Batch{Magic: b.Magic(), First: b.BaseOffset(), Last: b.LastOffset(), Fetched: fetched, ProducerID: -1, LeaderEpoch: -1}
	if of.Magic >= 2 {
		of.Control, of.ProducerID, of.LeaderEpoch = b.Control(), b.ProducerID(), b.PartitionLeaderEpoch()
	}
	return of
}

// stretch is a part of the source's log, up to an offset, that was fetched at a tick.
type stretch struct {
	to   int64
	tick loop.Tick
}

// remember notes that a batch and what follows it in an answer was fetched at a tick.
func (s *sieve) remember(rest []byte, b batch.Batch, fetched loop.Tick) {
	if b.LastOffset() < s.seen.to {
		return // it was before
	}
	for s.seen = (stretch{b.LastOffset() + 1, fetched}); len(rest) > 0; s.seen.to = b.LastOffset() + 1 {
		var err error
		if b, rest, err = batch.Next(rest); err != nil {
			return
		}
	}
}

// first is when a batch was fetched for the first time: after a wait it is fetched again.
func (s *sieve) first(b batch.Batch, fetched loop.Tick) loop.Tick {
	if b.LastOffset() < s.seen.to {
		return s.seen.tick
	}
	return fetched
}

// epoch is what runs say of the leader epoch of their batches. With prefix naming nobody compares coordinates, and nothing has to be noted when
// it changes.
func (s *sieve) epoch(of int32) int32 {
	if s.judge == nil {
		return -1
	}
	return of
}

// took notes that all of the origin's records up to one are under way.
func (s *sieve) took(last loop.Coordinate) {
	if s.judge != nil {
		s.judge.Taken.Advance(s.origin, s.judge.Part, last)
	}
}

// goBack takes that back to a frontier.
func (s *sieve) goBack(to loop.Coordinate) {
	if s.judge != nil {
		s.judge.Taken.Restore(s.origin, s.judge.Part, to, nil)
	}
	if s.translated != nil {
		s.next = offsetxlate.Source(to.Offset)
		s.high = min(s.high, s.next)
	}
}

// behind takes what the source lacks, as of a reading that began at a tick.
func (s *sieve) behind(gaps loop.Gaps, asOf loop.Tick) {
	s.judge.Behind, s.judge.BehindAsOf = loop.NewFrontiers(s.judge.Source), asOf
	s.judge.BehindPart = s.judge.Behind.Part("", 0)
	if n := len(gaps); n > 0 {
		s.judge.Behind.Restore(s.origin, s.judge.BehindPart, gaps[n-1].To, gaps)
	}
}

// gapAt is what the source lacks of what comes at or behind a coordinate.
func (s *sieve) gapAt(next loop.Coordinate) (loop.Gap, bool) {
	if s.judge == nil || s.judge.Behind == nil {
		return loop.Gap{}, false
	}
	return s.judge.Behind.Gaps(s.origin, s.judge.BehindPart).Between(next, loop.Infinite)
}

// sieve makes that of a partition. All three clusters have been met.
func (l *life) sieve(spec Spec) *sieve {
	r := spec.src.registered
	s := &sieve{registered: r, origin: r.number(spec.OriginID), originID: spec.OriginID}
	source, destination := r.number(spec.src.form()), r.number(l.dst.form())
	if !spec.Identity {
		s.prefix = &loop.PrefixJudge{Destination: destination, Source: source, Origin: s.origin}
		if spec.hub() {
			s.translated = &translated{}
		}
		return s
	}
	from := make([]bool, s.origin+1)
	from[s.origin] = true
	taken := loop.NewFrontiers(destination)
	s.judge = &loop.Judge{
		Destination: destination, Source: source, Topic: loop.TopicTag(spec.Topic), Number: spec.Number, Provenance: spec.Provenance,
		Incarnation: spec.Incarnation, Taken: taken, Part: taken.Part(spec.Topic, spec.Number), From: from,
	}
	if spec.hub() {
		s.behind(nil, -1)
	} else {
		s.judge.Map = &s.places
	}
	return s
}
