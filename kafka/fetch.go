package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Want is one partition of a raw fetch, and where to read it.
type Want struct {
	Partition
	Offset   int64
	MaxBytes int32
	// LastEpoch is the leader epoch of the batch before Offset, -1 where unknown: with it the broker tells where its log
	// and ours part (KIP-595).
	LastEpoch int32
}

// entry is the want as a request has it.
func (w Want) entry() kmsg.FetchRequestTopicPartition {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = w.Number, w.Offset, w.MaxBytes
	p.CurrentLeaderEpoch, p.LastFetchedEpoch = w.LeaderEpoch, w.LastEpoch
	return p
}

// FetchRequest is one raw fetch from one broker.
type FetchRequest struct {
	Broker    int32
	Wants     []Want
	MaxWait   time.Duration
	MaxBytes  int32
	Committed bool // isolation level read_committed
}

// Got is one partition of a raw fetch's answer.
type Got struct {
	*kmsg.FetchResponseTopicPartition
	Want Want  // what was asked
	Err  error // of the partition; nil, or an error of package kerr
}

// Diverged returns the offset from which the broker's log differs from what the reader has seen, if it said so.
func (g Got) Diverged() (offset int64, ok bool) {
	return g.DivergingEpoch.EndOffset, g.DivergingEpoch.EndOffset >= 0
}

// Fetch reads raw record batches: as they lie in the log, so the first may begin below the offset asked for, and the last may
// be cut short. The answer has an entry for each Want in the same order; one without an answer has a nil response and an error:
// kerr.ThrottlingQuotaExceeded where a quota of the broker's is exceeded.
func (c *Cluster) Fetch(ctx context.Context, r FetchRequest) ([]Got, error) {
	resp, err := c.Client.Broker(int(r.Broker)).Request(ctx, c.patient(r.message()))
	if err != nil {
		return nil, fmt.Errorf("fetching from broker %d of cluster %s: %w", r.Broker, c.Config.Alias, err)
	}
	fr := resp.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(fr.ErrorCode); err != nil {
		return nil, fmt.Errorf("fetching from broker %d of cluster %s: %w", r.Broker, c.Config.Alias, err)
	}
	return r.match(fr), nil
}

func (r FetchRequest) message() *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.SessionEpoch = int32(r.MaxWait.Milliseconds()), 1, r.MaxBytes, -1
	if r.Committed {
		req.IsolationLevel = 1
	}
	for _, w := range r.Wants {
		t := topicOf(req, w.Partition)
		t.Partitions = append(t.Partitions, w.entry())
	}
	return req
}

// topicOf returns the entry of p's topic, which is the last one or new: wants of a topic stand together.
func topicOf(req *kmsg.FetchRequest, p Partition) *kmsg.FetchRequestTopic {
	if n := len(req.Topics); n > 0 && req.Topics[n-1].Topic == p.Topic {
		return &req.Topics[n-1]
	}
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = p.Topic, p.TopicID
	req.Topics = append(req.Topics, t)
	return &req.Topics[len(req.Topics)-1]
}

type place struct {
	topic string
	id    [16]byte
	part  int32
}

// match brings the answer into the order of the wants. From version 13 on topics have ids and no names.
func (r FetchRequest) match(resp *kmsg.FetchResponse) []Got {
	byID := resp.Version >= 13
	at := make(map[place]*kmsg.FetchResponseTopicPartition)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for k := range t.Partitions {
			at[key(byID, t.Topic, t.TopicID, t.Partitions[k].Partition)] = &t.Partitions[k]
		}
	}
	out := make([]Got, len(r.Wants))
	for i, w := range r.Wants {
		p, ok := at[key(byID, w.Topic, w.TopicID, w.Number)]
		switch {
		case !ok && resp.ThrottleMillis > 0: // such an answer is empty, and says nothing of the topic
			out[i] = Got{Want: w, Err: kerr.ThrottlingQuotaExceeded}
			continue
		case !ok:
			out[i] = Got{Want: w, Err: kerr.UnknownTopicOrPartition}
			continue
		}
		out[i] = Got{FetchResponseTopicPartition: p, Want: w, Err: kerr.ErrorForCode(p.ErrorCode)}
	}
	return out
}

func key(byID bool, topic string, id [16]byte, part int32) place {
	if byID {
		return place{id: id, part: part}
	}
	return place{topic: topic, part: part}
}

// Offsets asks the leaders for the end of each partition (timestamp -1), its start (-2), or the first offset at or after a
// time in milliseconds. The answer is in the order of ps; per partition errors are kerr errors.
//
// Those that are believed to lead are asked. The client is left to find the others: it would read the metadata of all partitions of their
// topics to split the request, again and again, and believes for a while that there is no topic where there was none.
func (c *Cluster) Offsets(ctx context.Context, ps []Partition, timestamp int64) ([]Offset, error) {
	out := make([]Offset, len(ps))
	lost := c.offsetsFrom(ctx, ps, timestamp, out)
	if len(lost) == 0 {
		return out, nil
	}
	resp, err := offsetsRequest(pick(ps, lost), timestamp).RequestWith(ctx, c.Client)
	if err != nil {
		err = fmt.Errorf("listing offsets of cluster %s: %w", c.Config.Alias, err)
		if len(lost) == len(ps) {
			return nil, err
		}
		for _, i := range lost { // the others have nothing to do with it
			out[i].Err = err
		}
		return out, nil
	}
	for i, o := range matchOffsets(pick(ps, lost), resp) {
		out[lost[i]] = o
	}
	return out, nil
}

// offsetsFrom asks those that are believed to lead, all at once, and returns the indexes of the partitions that they don't.
func (c *Cluster) offsetsFrom(ctx context.Context, ps []Partition, timestamp int64, out []Offset) (lost []int) {
	byLeader := map[int32][]int{}
	for i, p := range ps {
		byLeader[p.Leader] = append(byLeader[p.Leader], i)
	}
	var wg sync.WaitGroup
	for leader, at := range byLeader {
		wg.Go(func() { c.offsetsOf(ctx, leader, ps, at, timestamp, out) })
	}
	wg.Wait()
	for i, o := range out {
		if o.Err != nil {
			lost = append(lost, i)
		}
	}
	return lost
}

func (c *Cluster) offsetsOf(ctx context.Context, leader int32, ps []Partition, at []int, timestamp int64, out []Offset) {
	err := error(kerr.LeaderNotAvailable)
	var resp kmsg.Response
	if leader >= 0 {
		resp, err = c.Client.Broker(int(leader)).Request(ctx, offsetsRequest(pick(ps, at), timestamp))
	}
	if err != nil {
		for _, i := range at {
			out[i].Err = err
		}
		return
	}
	for i, o := range matchOffsets(pick(ps, at), resp.(*kmsg.ListOffsetsResponse)) {
		out[at[i]] = o
	}
}

func pick(ps []Partition, at []int) []Partition {
	out := make([]Partition, len(at))
	for i, n := range at {
		out[i] = ps[n]
	}
	return out
}

func offsetsRequest(ps []Partition, timestamp int64) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	for _, p := range ps {
		n := len(req.Topics)
		if n == 0 || req.Topics[n-1].Topic != p.Topic {
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = p.Topic
			req.Topics = append(req.Topics, t)
			n++
		}
		rp := kmsg.NewListOffsetsRequestTopicPartition()
		rp.Partition, rp.Timestamp, rp.CurrentLeaderEpoch = p.Number, timestamp, -1
		req.Topics[n-1].Partitions = append(req.Topics[n-1].Partitions, rp)
	}
	return req
}

// Offset is one answer of ListOffsets.
type Offset struct {
	At          int64 // -1 where no record is that young
	LeaderEpoch int32
	Err         error
}

func matchOffsets(ps []Partition, resp *kmsg.ListOffsetsResponse) []Offset {
	at := make(map[place]Offset)
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			at[key(false, t.Topic, t0, p.Partition)] = Offset{p.Offset, p.LeaderEpoch, kerr.ErrorForCode(p.ErrorCode)}
		}
	}
	out := make([]Offset, len(ps))
	for i, p := range ps {
		o, ok := at[key(false, p.Topic, t0, p.Number)]
		if !ok {
			o.Err = kerr.UnknownTopicOrPartition
		}
		out[i] = o
	}
	return out
}

var t0 [16]byte

// Timestamps of Offsets with a meaning of their own.
const (
	End   int64 = -1
	Start int64 = -2
)
