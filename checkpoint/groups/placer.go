package groups

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Placer sets places of groups under a transactional id that it owns. It is for one goroutine at a time.
//
//	OpenPlacer ──> idle ──Place──> in a transaction ──> idle
//	                 │ ▲                   │
//	                 │ └─ ready: end it, ──┘ an answer was lost
//	                 │    raise the epoch
//	                 └──> fenced, for good
type Placer struct {
	*Cluster
	txnID string
	topic string

	pid   int64
	epoch int16
	seq   int32 // of the next record of this epoch
	open  bool  // a transaction is open, or may be
	stale bool  // a request of this epoch may still be under way: it must find another epoch
	fixed bool  // the broker can't raise the epoch for its owner alone
	gone  error // why the id is not ours any more

	coordinator int32 // of the transactional id; -1: unknown
	leader      int32 // of the topic's partition; -1: unknown
}

// transactionTimeout is how long groups can't start when the owner dies with their places pending and nobody takes over.
const transactionTimeout = 10 * time.Second

// attemptTime bounds a transaction, well within its timeout, after which the broker would fence its owner.
const attemptTime = 7 * time.Second

// OpenPlacer takes a transactional id over: an owner before is fenced from here on, and a transaction that it left open is
// aborted. Records of placements go to partition 0 of topic. The error is ErrNoTransactions where the right to the id is missing.
func (c *Cluster) OpenPlacer(ctx context.Context, txnID, topic string) (*Placer, error) {
	p := &Placer{Cluster: c, txnID: txnID, topic: topic, pid: -1, epoch: -1, coordinator: -1, leader: -1}
	if err := p.init(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// Place sets groups where each of them is as expected, and says for each, in the order given, what became of it. A group that is
// not as expected takes no other one with it. The error is what kept the Placer from deciding all of them: ErrFenced, or a
// coordinator that does not answer; then results that were reached before it hold.
func (p *Placer) Place(ctx context.Context, placements []Placement) ([]Result, error) {
	jobs := newJobs(placements)
	p.lookFirst(ctx, moving(undecided(jobs)))
	var err error
	for _, batch := range batches(undecided(jobs)) {
		if err = p.batch(ctx, batch); err != nil {
			break
		}
	}
	for _, j := range undecided(jobs) {
		j.fail(err)
	}
	return results(jobs), err
}

// lookFirst keeps out of the transactions what would spoil them: groups that are not as expected, and groups of a coordinator that
// does not answer, for it would hold up the end of a transaction. And it keeps out groups with a commit of the application's own in
// an open transaction, for if that is older than ours it would be lost. Our own last transaction may take a moment to be over.
func (p *Placer) lookFirst(ctx context.Context, jobs []*job) {
	p.look(ctx, jobs, true)
	for wait := 5 * time.Millisecond; wait < 100*time.Millisecond; wait *= 2 {
		again := unstable(jobs)
		if len(again) == 0 || !pause(ctx, wait) {
			return
		}
		for _, j := range again {
			j.Result = Result{Group: j.Placement.Group}
		}
		p.look(ctx, again, true)
	}
}

func unstable(jobs []*job) (out []*job) {
	for _, j := range jobs {
		if errors.Is(j.Err, kerr.UnstableOffsetCommit) {
			out = append(out, j)
		}
	}
	return out
}

// batch decides up to 50 groups. Each attempt decides at least one: all of them, or those that spoilt it for the others.
func (p *Placer) batch(ctx context.Context, jobs []*job) error {
	for ; len(jobs) > 0; jobs = undecided(jobs) {
		if err := p.ready(ctx); err != nil {
			return err
		}
		if err := p.attempt(ctx, jobs); err != nil {
			return err
		}
	}
	return nil
}

func (p *Placer) attempt(ctx context.Context, jobs []*job) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	if err := p.lead(ctx, jobs); err != nil {
		return err
	}
	if err := p.begin(ctx, jobs); err != nil {
		return p.giveUp(ctx, err)
	}
	if jobs = undecided(jobs); len(jobs) == 0 {
		return p.giveUp(ctx, nil)
	}
	// From stage on members of the groups can't start: so the topic, which may be slow, comes before it.
	if err := p.write(ctx, jobs); err != nil {
		return p.giveUp(ctx, err)
	}
	p.stage(ctx, moving(jobs))
	p.look(ctx, moving(undecided(jobs)), false)
	if len(undecided(jobs)) < len(jobs) {
		return p.giveUp(ctx, nil)
	}
	return p.commit(ctx, jobs)
}

// ready leaves behind what an earlier call could not finish. A request of that time which arrives only now would act within the
// next transaction, unchecked, if that had the same epoch.
func (p *Placer) ready(ctx context.Context) error {
	if p.gone != nil {
		return p.gone
	}
	if p.open {
		if err := p.abort(ctx); err != nil {
			return err
		}
	}
	if p.stale && p.fixed {
		p.gone = fmt.Errorf("%w: an answer was lost, and the broker is too old to raise an epoch for its owner alone", ErrFenced)
		return p.gone
	}
	if p.stale {
		return p.init(ctx)
	}
	return nil
}

// ownEpoch is the InitProducerID from which on an owner is known by its id and epoch (Kafka 2.5).
const ownEpoch = 3

// init gets the id, or its next epoch if it is ours: that fails if somebody else has taken it since.
func (p *Placer) init(ctx context.Context) error {
	var resp *kmsg.InitProducerIDResponse
	err := p.coordinate(ctx, func() kmsg.Request {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.TransactionalID, req.TransactionTimeoutMillis = &p.txnID, int32(transactionTimeout.Milliseconds())
		req.ProducerID, req.ProducerEpoch = p.pid, p.epoch
		return pinned{req, maxInitProducerID}
	}, func(r kmsg.Response) int16 {
		resp = r.(*kmsg.InitProducerIDResponse)
		return resp.ErrorCode
	})
	if err != nil {
		return p.spoil(fmt.Errorf("taking transactional id %s: %w", p.txnID, err))
	}
	p.pid, p.epoch, p.seq, p.stale = resp.ProducerID, resp.ProducerEpoch, 0, false
	p.fixed = resp.Version < ownEpoch
	return nil
}

// spoil notes what an error says about the transactional id, and gives it its name.
func (p *Placer) spoil(err error) error {
	err = owned(err)
	if errors.Is(err, ErrFenced) {
		p.gone = err
	}
	if lost(err) || errors.Is(err, kerr.OutOfOrderSequenceNumber) || errors.Is(err, kerr.InvalidTxnState) {
		p.stale = true
	}
	return err
}

// giveUp aborts the transaction; err, if any, is why. It does so even if ctx has ended, for as long as it is open groups can't
// start. If that fails too, ready tries again.
func (p *Placer) giveUp(ctx context.Context, err error) error {
	if !p.open || p.gone != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestWait)
	defer cancel()
	return errors.Join(err, p.abort(ctx))
}
