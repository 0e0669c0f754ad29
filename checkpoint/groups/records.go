package groups

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func recordsOf(jobs []*job) (out []Record) {
	for _, j := range jobs {
		if j.Record != nil {
			out = append(out, *j.Record)
		}
	}
	return out
}

// lead finds the leader of the topic before a transaction is open: one that has the topic in it can't end while there is none.
func (p *Placer) lead(ctx context.Context, jobs []*job) error {
	if p.leader >= 0 || len(recordsOf(jobs)) == 0 {
		return nil
	}
	leader, err := p.findLeader(ctx)
	if err != nil {
		return p.spoil(fmt.Errorf("finding the leader of %s: %w", p.topic, err))
	}
	p.leader = leader
	return nil
}

// write appends the records of a batch to the topic, as a part of the transaction.
func (p *Placer) write(ctx context.Context, jobs []*job) error {
	records := recordsOf(jobs)
	if len(records) == 0 {
		return nil
	}
	batch := p.encode(records, time.Now())
	if err := p.produce(ctx, batch); err != nil {
		p.stale = true // it may have been appended: other records under the same sequence would be taken for these
		return p.spoil(fmt.Errorf("writing %d records to %s: %w", len(records), p.topic, err))
	}
	p.seq = (p.seq + int32(len(records))) & math.MaxInt32 // sequences go on at 0 after int32's end
	return nil
}

// produce repeats the very same batch while the leader is elsewhere. A lost answer is not repeated: the epoch is left behind.
func (p *Placer) produce(ctx context.Context, batch []byte) error {
	return patiently(ctx, func(ctx context.Context) error {
		if p.leader < 0 {
			leader, err := p.findLeader(ctx)
			if err != nil {
				return elsewhere(err)
			}
			p.leader = leader
		}
		resp, err := ask[*kmsg.ProduceResponse](ctx, p.Cluster, p.leader, p.produceRequest(batch))
		if err == nil {
			err = producedError(resp)
		}
		if err != nil {
			p.leader = -1
		}
		return elsewhere(err)
	})
}

// elsewhere has a leader that moves waited for, as a coordinator is.
func elsewhere(err error) error {
	if errors.Is(err, kerr.NotLeaderForPartition) || errors.Is(err, kerr.LeaderNotAvailable) {
		return fmt.Errorf("%w: %w", kerr.CoordinatorNotAvailable, err)
	}
	return err
}

func (p *Placer) produceRequest(batch []byte) kmsg.Request {
	req := kmsg.NewPtrProduceRequest()
	req.TransactionID, req.Acks, req.TimeoutMillis = &p.txnID, -1, int32(p.timeout.Milliseconds())
	t := kmsg.NewProduceRequestTopic()
	t.Topic = p.topic
	part := kmsg.NewProduceRequestTopicPartition()
	part.Records = batch
	t.Partitions = append(t.Partitions, part)
	req.Topics = append(req.Topics, t)
	return pinned{req, maxProduce}
}

func producedError(resp *kmsg.ProduceResponse) error {
	for _, t := range resp.Topics {
		for _, part := range t.Partitions {
			return kerr.ErrorForCode(part.ErrorCode)
		}
	}
	return errUnanswered
}

// findLeader returns the leader of partition 0 of the topic.
func (p *Placer) findLeader(ctx context.Context) (int32, error) {
	resp, err := askAny[*kmsg.MetadataResponse](ctx, p.Cluster, func() kmsg.Request {
		req := kmsg.NewPtrMetadataRequest()
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &p.topic
		req.Topics = append(req.Topics, t)
		return req
	})
	if err != nil {
		return -1, err
	}
	for _, t := range resp.Topics {
		for _, part := range t.Partitions {
			if part.Partition == 0 && part.ErrorCode == 0 {
				return part.Leader, nil
			}
		}
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return -1, err
		}
	}
	return -1, kerr.LeaderNotAvailable
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Places in a record batch (KIP-98): its length counts what follows the length, its checksum covers what follows the checksum.
const (
	afterLength = 12
	atCRC       = 17
	afterCRC    = 21
)

// transactional is the attribute bit of a batch that belongs to a transaction.
const transactional = 1 << 4

// encode makes one uncompressed batch of records.
func (p *Placer) encode(records []Record, now time.Time) []byte {
	b := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, Attributes: transactional,
		LastOffsetDelta: int32(len(records) - 1), NumRecords: int32(len(records)),
		FirstTimestamp: now.UnixMilli(), MaxTimestamp: now.UnixMilli(),
		ProducerID: p.pid, ProducerEpoch: p.epoch, FirstSequence: p.seq,
	}
	for i, r := range records {
		b.Records = appendRecord(b.Records, int64(i), r)
	}
	out := b.AppendTo(nil)
	binary.BigEndian.PutUint32(out[afterLength-4:], uint32(len(out)-afterLength))
	binary.BigEndian.PutUint32(out[atCRC:], crc32.Checksum(out[afterCRC:], castagnoli))
	return out
}

func appendRecord(dst []byte, delta int64, r Record) []byte {
	body := []byte{0}                       // attributes: none
	body = binary.AppendVarint(body, 0)     // timestamp delta
	body = binary.AppendVarint(body, delta) // offset delta
	body = appendBytes(body, r.Key)         // null is not empty
	body = appendBytes(body, r.Value)       // null: a tombstone
	body = binary.AppendVarint(body, 0)     // headers: none
	dst = binary.AppendVarint(dst, int64(len(body)))
	return append(dst, body...)
}

func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return binary.AppendVarint(dst, -1)
	}
	return append(binary.AppendVarint(dst, int64(len(b))), b...)
}
