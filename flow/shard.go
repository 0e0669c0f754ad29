package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// shard runs one writer: all partitions of one origin at one destination whose number it has.
type shard struct {
	id  topology.Shard
	env *env
	src *Source
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
}

func newShard(id topology.Shard, t told, e *env, src *Source, dst *Destination, log *slog.Logger) *shard {
	return &shard{
		id: id, told: t, env: e, src: src, dst: dst, state: New, twin: -1, kick: make(chan struct{}, 1), want: map[string]Spec{},
		seq: -1, claim: kafka.ProducerID{ID: -1}, log: log.With(slog.String("shard", id.String())), parts: map[string]*part{},
		notes: map[*part]struct{}{}, ranges: map[*part]struct{}{}, blocked: map[string]kafka.Reason{}, unproven: map[*part]struct{}{}, stuck: map[*part]kafka.Reason{},
	}
}

// assign says which partitions the shard has; it may be called at any time.
func (s *shard) assign(specs map[string]Spec) {
	s.mu.Lock()
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
	if changed && r.Code == "" { // reasons are told by the pair, in which many shards may have the same
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
			if err := l.take(ctx, then); err != nil {
				return err
			}
		case then := <-l.asking.done:
			if err := l.heardOf(ctx, then); err != nil {
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

// life is what a shard has while one epoch of its writer lasts.
type life struct {
	*shard
	id       kafka.ProducerID
	progress *ledger
	offsets  *ledger
	fence    *fence
	stored   stored
	later    map[string]again // partitions that could not be opened
	beside   beside           // at the destination
	asking   beside           // at the source
	renewAt  time.Time
	old      kafka.ProducerID // of the owner before, where it had another one; ID -1: none
	ids      map[int64]bool   // producer ids that this writer has had, as far as it is known
	places   <-chan struct{}  // closed when the destination's directory changed since parts were compared with it
	lookAt   time.Time        // when they are compared the next time though it did not; zero: not
}

func (s *shard) txnID() string {
	return fmt.Sprintf("meshd.%s.%s", s.env.mesh, s.id)
}

// open takes the writer over: a new epoch, registered, and shut out of the shard's own ledgers is everybody else.
func (s *shard) open(ctx context.Context) (*life, error) {
	if err := s.mayOpen(ctx); err != nil {
		return nil, err
	}
	places := s.dst.Dir.Changed()
	before, had := s.dst.Writers.known(s.id)
	l, err := s.claimIt(ctx)
	if err != nil {
		return nil, err
	}
	l.places = places
	if had && before.ID.ID != l.id.ID {
		l.old, l.ids[before.ID.ID] = before.ID, true
	}
	seq, err := checkpoint.Register(ctx, s.dst.Control, l.id, checkpoint.Writer{
		ClusterID: s.dst.ID(), Origin: s.id.Origin, Shard: s.id.Number, Node: s.env.node, Held: s.toldNow().epoch, At: time.Now().UnixMilli(),
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.seq = seq
	s.mu.Unlock()
	if err := l.openLedgers(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.writer = l.id
	clear(s.blocked)
	s.mu.Unlock()
	s.asks.Lock()
	s.broken, s.proof, s.strange = nil, 0, nil
	clear(s.notes)
	clear(s.ranges)
	clear(s.unproven)
	clear(s.stuck)
	s.asks.Unlock()
	return l, nil
}

const claimPatience = 5 * time.Second // for a producer id; then it is said why there is none, and tried again

// claimIt gets a producer id: the shard's own in a new epoch or, where transactions are not allowed, any.
func (s *shard) claimIt(ctx context.Context) (*life, error) {
	ctx, cancel := context.WithTimeout(ctx, claimPatience)
	defer cancel()
	plain := false
	s.lessen()
	id, err := s.dst.Control.InitProducer(ctx, s.txnID())
	if errors.Is(err, kerr.TransactionalIDAuthorizationFailed) || errors.Is(err, kerr.UnsupportedVersion) {
		s.lessen(kafka.Because(kafka.AtLeastOnce, "an owner that comes back after it was replaced may write records twice: "+kafka.Explain(err, "").Text, kafka.Hint(err)))
		plain = true
		id, err = s.dst.Control.InitProducer(ctx, "")
	}
	if err != nil {
		return nil, err
	}
	s.claim = id
	return &life{
		shard: s, id: id, later: map[string]again{}, ids: map[int64]bool{id.ID: true}, old: kafka.ProducerID{ID: -1},
		renewAt: time.Now().Add(min(renewAtMost, s.dst.Memory().Txn/4)),
		fence:   &fence{cluster: s.dst.Control, dir: s.dst.Dir, txnID: s.txnID(), id: id, plain: plain, kept: map[kafka.Spot]kept{}},
	}, nil
}

// lessen says why this writer can't promise what others do; without a reason it can.
func (s *shard) lessen(why ...kafka.Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lesser = why
}

// fenceOld shuts out the id that the owner before had, if that was another one: it expired, or its epochs ran out. The shard's own marker
// does not stop it.
func (l *life) fenceOld(ctx context.Context, ps []kafka.Partition) map[kafka.Partition]error {
	if l.old.ID < 0 {
		return nil
	}
	out := map[kafka.Partition]error{}
	for i, err := range l.dst.Control.WriteMarkers(ctx, l.old, ps) {
		switch {
		case err == nil:
		case kafka.Classify(err) == kafka.Denied || errors.Is(err, kerr.UnsupportedVersion):
			if !l.fence.plain { // that one has said it already
				l.lessen(kafka.Because(kafka.PredecessorUnfenced, fmt.Sprintf("producer id %d, by which the shard was written before, is not shut out: %v", l.old.ID, err),
					kafka.Grant("--cluster", "Alter", "ClusterAction")+"; or make sure that the node before is stopped"))
			}
		default:
			out[ps[i]] = err
		}
	}
	return out
}

func (l *life) openLedgers(ctx context.Context) error {
	topics := []string{checkpoint.ProgressTopic(l.shard.id.Origin), checkpoint.OffsetsTopic(l.shard.id.Origin)}
	ps := make([]kafka.Partition, 0, len(topics))
	for _, t := range topics {
		p, ok := l.dst.Dir.Get(t, int32(l.shard.id.Number))
		if !ok {
			l.dst.Dir.Stale()
			return kafka.Because(kafka.DestinationMissing, "topic "+t+" is not there yet", "meshd makes it within its discovery interval")
		}
		ps = append(ps, p)
	}
	old := l.fenceOld(ctx, ps)
	for p, f := range l.fence.raise(ctx, ps, nil) {
		if f.err = cmp.Or(old[p], f.err); f.err != nil {
			return fmt.Errorf("fencing %s: %w", p, f.err)
		}
	}
	l.progress = l.ledger(topics[0])
	l.offsets = l.ledger(topics[1])
	return l.stored.read(ctx, l.dst.Control, l.shard.id)
}

func (l *life) ledger(topic string) *ledger {
	acks := make(chan Ack, 1)
	return &ledger{
		outlet: l.dst.Producer.Outlet(topic, int32(l.shard.id.Number), func(a Ack) { acks <- a }, nil), acks: acks, id: l.id,
		stamp: func() int64 { return time.Now().UnixMilli() },
	}
}

// step does what waits: partitions to open or close, places to find, runs to note. It returns why the epoch must end, if so.
func (l *life) step(ctx context.Context) error {
	if err := l.over(ctx); err != nil {
		return err
	}
	if err := l.closeUnwanted(ctx); err != nil {
		return err
	}
	if err := l.closeStuck(ctx); err != nil {
		return err
	}
	l.upkeep(ctx)
	l.lookForLoss(ctx, time.Now())
	l.openWanted(ctx) // behind what is seldom: there may be something to be tried all the time
	l.lookAtStrange(ctx)
	if err := l.prove(ctx); err != nil {
		return err
	}
	l.findRanges(ctx)
	return l.writeNotes(ctx)
}

// over says why the epoch must end, if so.
func (l *life) over(ctx context.Context) error {
	l.asks.Lock()
	err := l.broken
	l.asks.Unlock()
	l.mu.Lock()
	passed := l.told.over > l.seq
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if passed { // somebody else is said to have had it since
		if err := l.dst.Writers.check(ctx); err != nil {
			return err
		}
	}
	return errors.Join(l.dst.Writers.lost(), l.ousted())
}

func (l *life) close() {
	l.beside.halt()
	l.asking.halt()
	l.mu.Lock()
	parts := maps.Clone(l.parts)
	clear(l.parts)
	l.mu.Unlock()
	for _, p := range parts {
		l.src.Fetcher.remove(p)
		p.halt()
	}
	l.progress.outlet.Close()
	l.offsets.outlet.Close()
}

const drainTime = 5 * time.Second

// drain lets what is under way arrive, and saves the last place, so that the next owner has nothing to read back.
func (l *life) drain() error {
	l.set(Draining, kafka.Reason{})
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	l.mu.Lock()
	parts := maps.Clone(l.parts)
	l.mu.Unlock()
	for _, p := range parts {
		l.src.Fetcher.remove(p)
	}
	for _, p := range parts {
		if err := p.settle(ctx); err != nil {
			return err
		}
	}
	return l.save(ctx)
}

// The part's side of the shard. None of it takes mu: see asks.

func (s *shard) needNote(p *part) {
	s.asks.Lock()
	s.notes[p] = struct{}{}
	s.asks.Unlock()
	s.poke()
}

func (s *shard) partFailed(err error) {
	s.asks.Lock()
	if s.broken == nil {
		s.broken = err
	}
	s.asks.Unlock()
	s.poke()
}

func (s *shard) partStuck(p *part, why kafka.Reason) {
	s.asks.Lock()
	s.stuck[p] = why
	s.asks.Unlock()
	s.poke()
}

func (s *shard) outOfRange(p *part) {
	s.asks.Lock()
	s.ranges[p] = struct{}{}
	s.asks.Unlock()
	s.poke()
}

func (s *shard) staleSource()      { s.src.Dir.Stale() }
func (s *shard) wakeFetch(p *part) { s.src.Fetcher.wakeFor(p) }
func (s *shard) acked(p *part, stamp int64) {
	s.env.observer.Arrived(s.id, p.Spec, time.Since(time.UnixMilli(stamp)))
}
