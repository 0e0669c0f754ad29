package main

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"
)

// name is a topic as requests name it: old ones by name, newer ones by id.
type name struct {
	topic string
	id    [16]byte
}

// partition is copied from offset 0 to end by a goroutine that fetches and one that produces.
type partition struct {
	from, to     *kgo.Client
	source, copy name
	number       int32
	next, end    int64
	producer     int64
	epoch        int16
	sequence     int32
}

func (p *partition) run(ctx context.Context) error {
	response, err := kmsg.NewPtrInitProducerIDRequest().RequestWith(ctx, p.to)
	if err != nil {
		return err
	}
	p.producer, p.epoch = response.ProducerID, response.ProducerEpoch
	batches := make(chan []byte, 2)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(batches)
		for p.next < p.end {
			if err := p.fetch(ctx, batches); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		for b := range batches {
			err := p.produce(ctx, b)
			for ; errors.Is(err, kerr.NotLeaderForPartition) || errors.Is(err, kerr.UnknownTopicID); err = p.produce(ctx, b) {
				time.Sleep(again)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

func (p *partition) fetch(ctx context.Context, batches chan<- []byte) error {
	request, t, f := kmsg.NewPtrFetchRequest(), kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
	f.Partition, f.FetchOffset, f.PartitionMaxBytes, f.CurrentLeaderEpoch = p.number, p.next, 4<<20, -1
	t.Topic, t.TopicID, t.Partitions = p.source.topic, p.source.id, append(t.Partitions, f)
	request.MaxWaitMillis, request.MinBytes, request.MaxBytes, request.Topics = 500, 1, 8<<20, append(request.Topics, t)
	response, err := p.from.Broker(1).RetriableRequest(ctx, request)
	if err != nil {
		return err
	}
	fetched := response.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(fetched.ErrorCode); err != nil {
		return err
	}
	for _, t := range fetched.Topics {
		for _, f := range t.Partitions {
			if err := kerr.ErrorForCode(f.ErrorCode); err != nil {
				return err
			}
			if err := p.cut(ctx, f.RecordBatches, batches); err != nil {
				return err
			}
		}
	}
	return nil
}

// Where things lie in a record batch, from https://kafka.apache.org/documentation/#recordbatch.
const (
	lengthAt     = 8
	crcAt        = 17
	attributesAt = 21
	lastDeltaAt  = 23
	producerAt   = 43
	epochAt      = 51
	sequenceAt   = 53
	countAt      = 57
	headerSize   = 61
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// cut hands on the batches of a fetch, patched. The last may be there only in part.
func (p *partition) cut(ctx context.Context, rest []byte, batches chan<- []byte) error {
	for len(rest) >= headerSize {
		length := int(binary.BigEndian.Uint32(rest[lengthAt:])) + 12
		if length > len(rest) {
			return nil
		}
		select {
		case batches <- p.patch(rest[:length]):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		rest = rest[length:]
	}
	return nil
}

func (p *partition) patch(b []byte) []byte {
	p.next = int64(binary.BigEndian.Uint64(b)) + int64(binary.BigEndian.Uint32(b[lastDeltaAt:])) + 1
	binary.BigEndian.PutUint64(b, 0)
	binary.BigEndian.PutUint64(b[producerAt:], uint64(p.producer))
	binary.BigEndian.PutUint16(b[epochAt:], uint16(p.epoch))
	binary.BigEndian.PutUint32(b[sequenceAt:], uint32(p.sequence))
	p.sequence += int32(binary.BigEndian.Uint32(b[countAt:]))
	binary.BigEndian.PutUint32(b[crcAt:], crc32.Checksum(b[attributesAt:], castagnoli))
	return b
}

func (p *partition) produce(ctx context.Context, b []byte) error {
	request, t, f := kmsg.NewPtrProduceRequest(), kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	f.Partition, f.Records = p.number, b
	t.Topic, t.TopicID, t.Partitions = p.copy.topic, p.copy.id, append(t.Partitions, f)
	request.Acks, request.TimeoutMillis, request.Topics = -1, 30_000, append(request.Topics, t)
	response, err := p.to.Broker(1).RetriableRequest(ctx, request)
	if err != nil {
		return err
	}
	for _, t := range response.(*kmsg.ProduceResponse).Topics {
		for _, f := range t.Partitions {
			if err := kerr.ErrorForCode(f.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}
