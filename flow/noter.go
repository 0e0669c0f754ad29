package flow

import (
	"errors"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
)

// noter is who owned a hub's partition as of a reading of what is noted there.
type noter struct {
	kafka.ProducerID
	read  time.Time // when that began
	epoch int32     // leader epoch of the log of which the notes speak; -1 unknown
}

// noter says who noted what h has of a partition; false: it is of another copy than the one that is read. It is called with the lock held.
func (h *holdings) noter(spec Spec) (as noter, there bool) {
	prog, noted := h.view.Progress(spec.Topic, spec.Number)
	if !noted {
		return noter{kafka.ProducerID{ID: -1}, h.read, -1}, true
	}
	if prog.DstID != spec.SourceID {
		return noter{prog.Owner, h.read, -1}, false
	}
	return noter{prog.Owner, h.read, prog.DestEpoch}, true
}

// older says whether a batch may be of a later owner than the one whose notes were read. Each owner notes that it is the owner, and the map as
// it found it, before it writes anything: where a log was cut off, what it writes lies elsewhere than the map before says.
func (s *sieve) older(as noter, b batch.Batch) bool {
	id := b.ProducerID()
	if id == as.ID {
		return b.ProducerEpoch() > as.Epoch
	}
	met, ok := s.met[id]
	if !ok {
		if met = time.Now(); s.met == nil {
			s.met = map[int64]time.Time{}
		}
		s.met[id] = met
	}
	return !as.read.After(met) // behind that, who is not the owner was it before
}

var errMisplaced = errors.New("the place was told by the notes of an owner before")

// misplaced says of the first batch of the origin's at a place that was looked for, whether that place may be another one by now.
func (s *sieve) misplaced(b batch.Batch) bool {
	if s.placed == nil {
		return false
	}
	if s.older(*s.placed, b) {
		return true
	}
	s.placed = nil
	return false
}
