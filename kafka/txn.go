package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ProducerID names one life of a producer: who owns a transactional id, and for the how manieth time.
type ProducerID struct {
	ID    int64
	Epoch int16
}

func (p ProducerID) String() string { return fmt.Sprintf("%d/%d", p.ID, p.Epoch) }

// pinned holds a request back to a version at which it still means what meshd needs: from AddPartitionsToTxn v4 and EndTxn v5
// on brokers add partitions implicitly and raise the epoch at each end (KIP-890).
type pinned struct {
	kmsg.Request
	max int16
}

func (p pinned) MaxVersion() int16 { return p.max }

// transactionTimeout is how long a transaction may stay open when its owner dies in the middle of it. A fence's is open for a
// few milliseconds.
const transactionTimeout = 10 * time.Second

// InitProducer makes the caller the owner of a transactional id: an older owner's epoch is now out of date.
// Without one it gets an id that nobody else has. It waits, within ctx, while the coordinator still ends a transaction of the one before.
func (c *Cluster) InitProducer(ctx context.Context, txnID string) (ProducerID, error) {
	var last error // why it was tried again: where the time ends in the middle of a try, that is what is told
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		id, err := c.initOnce(ctx, txnID)
		switch {
		case err != nil && ctx.Err() != nil:
			return id, errors.Join(last, err)
		case err == nil || Classify(err) != Retry && Classify(err) != Moved:
			return id, err
		}
		last = err
		_ = Sleep(ctx, wait) // the try that follows tells that the time is over
	}
}

func (c *Cluster) initOnce(ctx context.Context, txnID string) (ProducerID, error) {
	resp, err := c.initAt(ctx, txnID)
	if err != nil {
		return ProducerID{}, fmt.Errorf("taking over transactional id %s: %w", txnID, err)
	}
	return ProducerID{resp.ProducerID, resp.ProducerEpoch}, nil
}

// initAt sends the request to the coordinator of the transactional id, or to any broker where there is none.
func (c *Cluster) initAt(ctx context.Context, txnID string) (*kmsg.InitProducerIDResponse, error) {
	send := func() (kmsg.Response, error) {
		return c.anywhere(ctx, func() kmsg.Request { return initRequest(txnID) })
	}
	if txnID != "" {
		send = func() (kmsg.Response, error) {
			coordinator, err := c.Coordinator(ctx, txnID)
			if err != nil {
				return nil, err
			}
			return c.Client.Broker(int(coordinator)).Request(ctx, initRequest(txnID))
		}
	}
	resp, err := send()
	if err != nil {
		return nil, err
	}
	ir := resp.(*kmsg.InitProducerIDResponse)
	return ir, kerr.ErrorForCode(ir.ErrorCode)
}

func initRequest(txnID string) *kmsg.InitProducerIDRequest {
	req := kmsg.NewPtrInitProducerIDRequest()
	if txnID != "" {
		req.TransactionalID = &txnID
	}
	req.TransactionTimeoutMillis = int32(transactionTimeout.Milliseconds())
	req.ProducerID, req.ProducerEpoch = -1, -1
	return req
}

// Coordinator finds the broker that coordinates a transactional id.
func (c *Cluster) Coordinator(ctx context.Context, txnID string) (int32, error) {
	answer, err := c.anywhere(ctx, func() kmsg.Request {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKey, req.CoordinatorType, req.CoordinatorKeys = txnID, 1, []string{txnID}
		return req
	})
	if err != nil {
		return 0, fmt.Errorf("finding the coordinator of %s: %w", txnID, err)
	}
	resp := answer.(*kmsg.FindCoordinatorResponse)
	node, code := resp.NodeID, resp.ErrorCode
	if len(resp.Coordinators) > 0 {
		node, code = resp.Coordinators[0].NodeID, resp.Coordinators[0].ErrorCode
	}
	if err := kerr.ErrorForCode(code); err != nil {
		return 0, fmt.Errorf("finding the coordinator of %s: %w", txnID, err)
	}
	return node, nil
}

// AddPartitions opens a transaction of id that spans ps. The answer has an error for each partition, nil where it was added.
// If any was refused then none was added: the others carry OPERATION_NOT_ATTEMPTED.
func (c *Cluster) AddPartitions(ctx context.Context, coordinator int32, txnID string, id ProducerID, ps []Partition) ([]error, error) {
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = txnID, id.ID, id.Epoch
	for _, p := range ps {
		n := len(req.Topics)
		if n == 0 || req.Topics[n-1].Topic != p.Topic {
			t := kmsg.NewAddPartitionsToTxnRequestTopic()
			t.Topic = p.Topic
			req.Topics = append(req.Topics, t)
			n++
		}
		req.Topics[n-1].Partitions = append(req.Topics[n-1].Partitions, p.Number)
	}
	resp, err := c.Client.Broker(int(coordinator)).Request(ctx, pinned{req, 3})
	if err != nil {
		return nil, fmt.Errorf("adding partitions to a transaction of %s: %w", txnID, err)
	}
	return matchAdded(ps, resp.(*kmsg.AddPartitionsToTxnResponse)), nil
}

func matchAdded(ps []Partition, resp *kmsg.AddPartitionsToTxnResponse) []error {
	at := make(map[place]error)
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			at[key(false, t.Topic, t0, p.Partition)] = kerr.ErrorForCode(p.ErrorCode)
		}
	}
	out := make([]error, len(ps))
	for i, p := range ps {
		out[i] = at[key(false, p.Topic, t0, p.Number)]
	}
	return out
}

// AbortTxn ends the open transaction of id: the coordinator then writes an abort marker into every partition of it.
func (c *Cluster) AbortTxn(ctx context.Context, coordinator int32, txnID string, id ProducerID) error {
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = txnID, id.ID, id.Epoch, false
	resp, err := c.Client.Broker(int(coordinator)).Request(ctx, pinned{req, 4})
	if err == nil {
		err = kerr.ErrorForCode(resp.(*kmsg.EndTxnResponse).ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("aborting a transaction of %s: %w", txnID, err)
	}
	return nil
}

// Sleep waits for d, or less if ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
