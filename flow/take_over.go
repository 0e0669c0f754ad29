package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
)

// open takes the writer over: a new epoch, registered, and shut out of the shard's own ledgers is everybody else.
func (s *shard) open(ctx context.Context) (*life, error) {
	if err := s.mayOpen(ctx); err != nil {
		return nil, err
	}
	places := s.dst.Dir.Changed()
	_, had := s.dst.Writers.known(s.id)
	before, err := s.dst.Writers.had(ctx, s.id) // not later: who registers after the claim may be the next owner
	if err != nil {
		return nil, err
	}
	l, err := s.claimIt(ctx)
	if err != nil {
		return nil, err
	}
	l.places, l.unheard = places, !had && l.id.Epoch > 0
	l.follow(before)
	seq, err := checkpoint.Register(ctx, s.dst.Control, l.id, checkpoint.Writer{
		ClusterID: s.dst.ID(), Origin: s.id.Origin, OriginID: s.originID(), Shard: s.id.Number, Node: s.env.node, Held: s.toldNow().epoch, At: time.Now().UnixMilli(),
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
	clear(s.newer)
	s.asks.Unlock()
	return l, nil
}

func (s *shard) originID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.origin
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
		shard: s, id: id, later: map[string]again{}, ids: map[int64]bool{id.ID: true},
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

// oldMost bounds how many ids are shut out. Who had more was one that may use no transactions, and gets another id each time.
const oldMost = 16

// follow takes in by which ids the shard was written before, the last one first.
func (l *life) follow(before []kafka.ProducerID) {
	for _, id := range before {
		l.ids[id.ID] = true
		if id.ID != l.id.ID && len(l.old) < oldMost && (!l.fence.plain || len(l.old) == 0) {
			l.old = append(l.old, id)
		}
	}
}

// fenceOld shuts out the ids by which the shard was written before, if there were others: they expired, or their epochs ran out. The shard's
// own marker does not stop them. The owner that was given this id first may have died before it had shut out all.
func (l *life) fenceOld(ctx context.Context, ps []kafka.Partition) map[kafka.Partition]error {
	out := map[kafka.Partition]error{}
	for _, old := range l.old {
		for i, err := range l.dst.Control.WriteMarkers(ctx, old, ps) {
			switch {
			case err == nil:
			case kafka.Classify(err) == kafka.Denied || errors.Is(err, kerr.UnsupportedVersion):
				if !l.fence.plain { // that one has said it already
					l.lessen(kafka.Because(kafka.PredecessorUnfenced, fmt.Sprintf("producer id %d, by which the shard was written before, is not shut out: %v", old.ID, err),
						kafka.Grant("--cluster", "Alter", "ClusterAction")+"; or make sure that the node before is stopped"))
				}
			default:
				out[ps[i]] = err
			}
		}
	}
	return out
}

// fenceOldLedgers does so for the shard's ledgers. Where they have progress by the own id, an owner before has done it.
func (l *life) fenceOldLedgers(ctx context.Context, ps []kafka.Partition) (map[kafka.Partition]error, error) {
	if len(l.old) == 0 {
		return nil, nil
	}
	var seen stored
	if err := seen.readProgress(ctx, l.dst.Control, l.shard.id); err != nil {
		return nil, err
	}
	for _, prog := range seen.progress {
		if prog.Owner.ID == l.id.ID {
			return nil, nil
		}
	}
	return l.fenceOld(ctx, ps), nil
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
	old, err := l.fenceOldLedgers(ctx, ps)
	if err != nil {
		return err
	}
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
