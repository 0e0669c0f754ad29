package flow

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// shard runs one writer: all partitions of one origin at one destination whose number it has.
type shard struct {
	id  topology.Shard
	env *env
	dst *Destination
	log *slog.Logger

	kick  chan struct{}
	claim kafka.ProducerID // the last that was got for this shard; ID -1: none yet
	twin  int64            // Seq of a registration by this node's name but not by this process that was waited for; -1: none

	mu      sync.Mutex
	told    told
	state   State
	reason  kafka.Reason
	writer  kafka.ProducerID
	seq     int64     // of the last registration; -1: none
	turned  time.Time // when the loop last went round
	origin  string    // the origin's cluster id
	want    map[string]Spec
	parts   map[string]*part
	blocked map[string]kafka.Reason // wanted, but not to be opened at present
	lesser  []kafka.Reason          // why this writer can't promise what others do

	// What parts ask for, with their own locks held. Whoever holds mu may take a part's lock, and whoever holds a part's lock may take
	// asks, and never the other way round.
	asks     sync.Mutex
	broken   error              // why the present epoch must end
	notes    map[*part]struct{} // parts that wait for their runs to be noted
	ranges   map[*part]struct{} // parts whose place is not in the source's log
	unproven map[*part]struct{} // parts that wait to know whether this node is still the owner
	proof    time.Duration      // bootTime when that was asked last; 0: never in this epoch
	strange  []strange
	stuck    map[*part]kafka.Reason // parts that are to be given up
	newer    map[*part]struct{}     // parts that are to turn to a later incarnation
}

// env is what all shards of a node share.
type env struct {
	mesh, node string
	intervals  topology.Intervals
	budget     *Budget
	mapBytes   int // of one partition's offset map in memory
	observer   Observer
	released   *releases
}

// told is what the control plane says of a shard that is held.
type told struct {
	epoch uint64 // of the assignment; it goes into the registration
	over  int64  // see Held.Over
}

// Observer is told what happened; metrics are made of it. Its methods must not block.
type Observer interface {
	Arrived(topology.Shard, Spec, time.Duration) // a batch is acknowledged, so long after the youngest record's timestamp
	TookOver(topology.Shard)
	Switched(at topology.Pair, topic string, why loop.Reason) // an origin's topic is read at another cluster than before
}

func newShard(id topology.Shard, t told, e *env, dst *Destination, log *slog.Logger) *shard {
	return &shard{
		id: id, told: t, env: e, dst: dst, state: New, twin: -1, kick: make(chan struct{}, 1), want: map[string]Spec{},
		seq: -1, claim: kafka.ProducerID{ID: -1}, log: log.With(slog.String("shard", id.String())), parts: map[string]*part{},
		notes: map[*part]struct{}{}, ranges: map[*part]struct{}{}, blocked: map[string]kafka.Reason{}, unproven: map[*part]struct{}{}, stuck: map[*part]kafka.Reason{},
		newer: map[*part]struct{}{},
	}
}

// assign says which partitions the shard has; it may be called at any time.
func (s *shard) assign(origin string, specs map[string]Spec) {
	s.mu.Lock()
	s.origin = origin
	same := maps.Equal(s.want, specs)
	s.want = specs
	s.mu.Unlock()
	if !same {
		s.poke()
	}
}

// tell brings what the control plane says now. A shard that runs goes on by it, unless somebody else had it in between.
func (s *shard) tell(t told) {
	s.mu.Lock()
	same := s.told == t
	s.told = t
	s.mu.Unlock()
	if !same {
		s.poke()
	}
}

func (s *shard) toldNow() told {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told
}

func (s *shard) poke() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

func (s *shard) set(st State, r kafka.Reason) {
	s.mu.Lock()
	changed := s.state != st || s.reason.Code != r.Code
	s.state, s.reason = st, r
	s.mu.Unlock()
	if changed && r.Code == "" { // reasons are told by the inflow, in which many shards may have the same
		s.log.Info("shard changed state", slog.String("state", string(st)))
	}
}

// life is one epoch of the writer, from taking it over to losing it or draining.
func (s *shard) life(ctx context.Context) error {
	s.mu.Lock()
	why := s.reason // of the failure before: it stands until the shard is open
	s.mu.Unlock()
	s.set(Opening, why)
	l, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	s.set(Streaming, kafka.Reason{})
	s.env.observer.TookOver(s.id)
	save := time.NewTicker(s.env.intervals.Progress)
	defer save.Stop()
	for {
		if err := l.step(ctx); err != nil {
			return err
		}
		l.turn()
		select {
		case <-ctx.Done():
			l.beside.halt()
			l.asking.halt()
			return l.drain()
		case then := <-l.beside.done:
			if err := l.beside.take(ctx, then); err != nil {
				return err
			}
		case then := <-l.asking.done:
			if err := l.asking.take(ctx, then); err != nil {
				return err
			}
		case <-s.kick:
		case <-save.C:
			if err := l.save(ctx); err != nil {
				return err
			}
		}
	}
}

func (s *shard) fenced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == Fenced
}

func (s *shard) turn() {
	s.mu.Lock()
	s.turned = time.Now()
	s.mu.Unlock()
}
