package logread

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Isolation says which records a reader sees.
type Isolation int8

const (
	// Uncommitted is everything below the high watermark, aborted transactions among it.
	Uncommitted Isolation = 0
	// Committed is everything below the last stable offset without aborted transactions.
	Committed Isolation = 1
)

// Range is the part of a partition's log that can be read: Start is the first offset, End the one after the last.
type Range struct {
	Start, End int64
}

// Timestamps with a meaning in ListOffsets: KIP-79.
const (
	latest   = -1 // with Committed, the last stable offset
	earliest = -2
)

// Bounds returns the range of each partition of a topic as it is now.
func Bounds(ctx context.Context, client *kgo.Client, topic string, isolation Isolation) (map[int32]Range, error) {
	var starts, ends map[int32]int64
	err := persist(ctx, func() error {
		t, err := describe(ctx, client, topic)
		if err != nil {
			return err
		}
		if starts, err = listOffsets(ctx, client, t, earliest, isolation); err != nil {
			return err
		}
		ends, err = listOffsets(ctx, client, t, latest, isolation)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing offsets of %s: %w", topic, err)
	}
	bounds := make(map[int32]Range, len(starts))
	for partition, start := range starts {
		bounds[partition] = Range{Start: start, End: ends[partition]}
	}
	return bounds, nil
}

// listOffsets asks for one offset of every partition. An error of one is the whole's.
func listOffsets(
	ctx context.Context, client *kgo.Client, topic kmsg.MetadataResponseTopic, timestamp int64, isolation Isolation,
) (map[int32]int64, error) {
	asked := kmsg.NewListOffsetsRequestTopic()
	asked.Topic = *topic.Topic
	for _, p := range topic.Partitions {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp = p.Partition, timestamp
		asked.Partitions = append(asked.Partitions, partition)
	}
	request := kmsg.NewPtrListOffsetsRequest()
	request.IsolationLevel = int8(isolation)
	request.Topics = append(request.Topics, asked)
	response, err := request.RequestWith(ctx, client) // kgo asks each leader for its own
	if err != nil {
		return nil, err
	}
	offsets := make(map[int32]int64)
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, err
			}
			offsets[p.Partition] = p.Offset
		}
	}
	if len(offsets) != len(topic.Partitions) {
		return nil, kerr.LeaderNotAvailable // an answer is missing; it passes
	}
	return offsets, nil
}
