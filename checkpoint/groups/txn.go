package groups

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// coordinate asks the coordinator of the transactional id until it does not put us off any more, or ctx ends. Each try is a
// request of its own.
func (p *Placer) coordinate(ctx context.Context, request func() kmsg.Request, code func(kmsg.Response) int16) error {
	return patiently(ctx, func(ctx context.Context) error {
		if p.coordinator < 0 {
			at, failed := p.find(ctx, ofTransactional, []string{p.txnID})
			if err := failed[p.txnID]; err != nil {
				return err
			}
			p.coordinator = at[p.txnID]
		}
		resp, err := ask[kmsg.Response](ctx, p.Cluster, p.coordinator, request())
		if err == nil {
			err = kerr.ErrorForCode(code(resp))
		}
		if err != nil && !errors.Is(err, kerr.ConcurrentTransactions) {
			p.coordinator = -1
		}
		return err
	})
}

// patiently tries until the answer is another one than "later", ctx ends, or a transaction would take too long. The markers of
// the transaction before take a few milliseconds.
func patiently(ctx context.Context, try func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		if err := try(ctx); !later(err) || !pause(ctx, wait) {
			return err
		}
	}
}

// pause waits for d; it says whether ctx has not ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// begin makes the groups, and the topic if there are records, part of a transaction. It decides groups that the caller may not read.
func (p *Placer) begin(ctx context.Context, jobs []*job) error {
	for _, j := range moving(jobs) {
		err := p.addGroup(ctx, j.Placement.Group)
		if errors.Is(err, kerr.GroupAuthorizationFailed) {
			j.fail(err)
		} else if err != nil {
			return p.spoil(err)
		}
	}
	if len(recordsOf(undecided(jobs))) == 0 {
		return nil
	}
	return p.spoil(p.addTopic(ctx))
}

func (p *Placer) addGroup(ctx context.Context, group string) error {
	p.open = true
	err := p.coordinate(ctx, func() kmsg.Request {
		req := kmsg.NewPtrAddOffsetsToTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = p.txnID, p.pid, p.epoch, group
		return pinned{req, maxAddOffsets}
	}, func(r kmsg.Response) int16 { return r.(*kmsg.AddOffsetsToTxnResponse).ErrorCode })
	if err != nil {
		return fmt.Errorf("adding group %s to a transaction of %s: %w", group, p.txnID, err)
	}
	return nil
}

func (p *Placer) addTopic(ctx context.Context) error {
	p.open = true
	err := p.coordinate(ctx, func() kmsg.Request {
		req := kmsg.NewPtrAddPartitionsToTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch = p.txnID, p.pid, p.epoch
		t := kmsg.NewAddPartitionsToTxnRequestTopic()
		t.Topic, t.Partitions = p.topic, []int32{0}
		req.Topics = append(req.Topics, t)
		return pinned{req, maxAddPartitions}
	}, func(r kmsg.Response) int16 {
		for _, t := range r.(*kmsg.AddPartitionsToTxnResponse).Topics {
			for _, part := range t.Partitions {
				return part.ErrorCode
			}
		}
		return kerr.UnknownServerError.Code
	})
	if err != nil {
		return fmt.Errorf("adding %s to a transaction of %s: %w", p.topic, p.txnID, err)
	}
	return nil
}

// stage leaves the new places pending, all groups at the same time. It decides groups that do not take them.
func (p *Placer) stage(ctx context.Context, jobs []*job) {
	errs := make([]error, len(jobs))
	var wg sync.WaitGroup
	for i, j := range jobs {
		wg.Go(func() { errs[i] = p.stageOne(ctx, j.Placement) })
	}
	wg.Wait()
	for i, err := range errs {
		if err = p.spoil(err); err != nil {
			jobs[i].fail(fmt.Errorf("committing offsets of group %s in a transaction: %w", jobs[i].Placement.Group, err))
		}
	}
}

func (p *Placer) stageOne(ctx context.Context, at Placement) error {
	return patiently(ctx, func(ctx context.Context) error {
		coordinators, failed := p.coordinators(ctx, []string{at.Group})
		if err := failed[at.Group]; err != nil {
			return err
		}
		resp, err := ask[*kmsg.TxnOffsetCommitResponse](ctx, p.Cluster, coordinators[at.Group], p.offsetCommit(at))
		if err == nil {
			err = firstOf(resp)
		}
		if err != nil {
			p.forget(at.Group)
		}
		return err
	})
}

// offsetCommit is what Kafka accepts without a member: generation -1 and no member id, which are the defaults.
func (p *Placer) offsetCommit(at Placement) kmsg.Request {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = p.txnID, p.pid, p.epoch, at.Group
	for topic, places := range byTopic(at.Places) {
		t := kmsg.NewTxnOffsetCommitRequestTopic()
		t.Topic = topic
		for _, place := range places {
			part := kmsg.NewTxnOffsetCommitRequestTopicPartition()
			part.Partition, part.Offset, part.LeaderEpoch, part.Metadata = place.Number, place.Offset, -1, &place.Metadata
			t.Partitions = append(t.Partitions, part)
		}
		req.Topics = append(req.Topics, t)
	}
	return pinned{req, maxTxnOffsetCommit}
}

func firstOf(resp *kmsg.TxnOffsetCommitResponse) error {
	for _, t := range resp.Topics {
		for _, part := range t.Partitions {
			if err := kerr.ErrorForCode(part.ErrorCode); err != nil {
				return fmt.Errorf("%s: %w", Partition{t.Topic, part.Partition}, err)
			}
		}
	}
	return nil
}

// commitPause lies between two attempts to learn what became of a transaction.
const commitPause = 50 * time.Millisecond

// commit makes the pending places and the records count, all at once. Once it is asked for it is asked for until there is an
// answer, even if ctx has ended. Any answer but yes may come after one that was lost, and then says nothing.
func (p *Placer) commit(ctx context.Context, jobs []*job) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestWait)
	defer cancel()
	err := p.end(ctx, true)
	for lost(err) && pause(ctx, commitPause) {
		err = p.end(ctx, true)
	}
	if err == nil {
		p.open = false
		for _, j := range jobs {
			j.Outcome = Placed
		}
		return nil
	}
	p.stale = true
	err = p.spoil(fmt.Errorf("committing a transaction of %s: %w", p.txnID, err))
	for _, j := range jobs {
		j.fail(err)
		j.Outcome = Unsure
	}
	return err
}

// abort ends a transaction that may be open. Where none is open, that is as good.
func (p *Placer) abort(ctx context.Context) error {
	err := p.end(ctx, false)
	if err != nil && !errors.Is(err, kerr.InvalidTxnState) {
		return p.spoil(fmt.Errorf("aborting a transaction of %s: %w", p.txnID, err))
	}
	p.open = false
	return nil
}

func (p *Placer) end(ctx context.Context, commit bool) error {
	return p.coordinate(ctx, func() kmsg.Request {
		req := kmsg.NewPtrEndTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = p.txnID, p.pid, p.epoch, commit
		return pinned{req, maxEndTxn}
	}, func(r kmsg.Response) int16 { return r.(*kmsg.EndTxnResponse).ErrorCode })
}
