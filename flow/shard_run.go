package flow

import (
	"context"
	"errors"
	"time"

	"github.com/meshd/meshd/kafka"
)

// run owns the shard until ctx ends.
func (s *shard) run(ctx context.Context) {
	defer s.set(Stopped, kafka.Reason{})
	for failures := 0; ; {
		began := time.Now()
		err := s.life(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			failures = 0
		}
		if taken, ok := errors.AsType[*takenError](err); ok {
			err = s.await(ctx, taken)
		} else {
			err = s.pause(ctx, err, failures)
			failures++
		}
		if err != nil {
			return
		}
	}
}

const standsDown = "another node writes this shard now; nothing is to be done unless it stays like this"

// await waits until this node is told something else.
func (s *shard) await(ctx context.Context, taken *takenError) error {
	s.set(Fenced, kafka.Because(kafka.TakenOver, taken.Error(), standsDown))
	for s.toldNow() == taken.before {
		select {
		case <-s.kick:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// How soon a shard that somebody else has taken is opened again, if it may be. Each time that it does not last a minute doubles it: two
// that are both told to open it leave each other in peace.
const (
	fencedWait = 500 * time.Millisecond
	twinWait   = 10 * time.Second
)

// pause waits after the end of a life, as long as its cause asks for.
func (s *shard) pause(ctx context.Context, err error, failures int) error {
	wait := min(fencedWait<<min(failures, 6), 30*time.Second)
	twin, isTwin := errors.AsType[*twinError](err)
	switch {
	case isTwin:
		s.set(Fenced, kafka.Because(kafka.TakenOver, twin.Error(), "two processes must not run as one node: stop one of them"))
		wait = max(wait, twinWait)
		s.twin = twin.last.Seq // after that it is taken back: nobody knows whether the other still lives
	case kafka.Classify(err) == kafka.Fenced:
		s.set(Fenced, kafka.Because(kafka.TakenOver, err.Error(), standsDown))
	default:
		r := kafka.Explain(err, kafka.DestinationUnreachable)
		state := Backoff
		if r.Code == kafka.RegistryLost {
			state = Failed
		}
		s.set(state, r)
		wait = min(200*time.Millisecond<<min(failures, 6), 10*time.Second)
	}
	return kafka.Sleep(ctx, wait)
}
