package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// endsRequest asks for the ends of a topic's partitions. Broker 1, the only one, leads them all.
func endsRequest(topic string, partitions int) *kmsg.ListOffsetsRequest {
	request, t := kmsg.NewPtrListOffsetsRequest(), kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for n := range partitions {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp, p.CurrentLeaderEpoch = int32(n), -1, -1
		t.Partitions = append(t.Partitions, p)
	}
	request.Topics = append(request.Topics, t)
	return request
}

// sumOfEnds is how many offsets a topic holds; 0 where it is not there.
func sumOfEnds(ctx context.Context, client *kgo.Client, topic string, partitions int) (int64, error) {
	response, err := client.Broker(1).RetriableRequest(ctx, endsRequest(topic, partitions))
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, t := range response.(*kmsg.ListOffsetsResponse).Topics {
		for _, p := range t.Partitions {
			sum += max(0, p.Offset) // -1 comes with an error: not there yet
		}
	}
	return sum, nil
}

// pollInterval is short against what is measured, and long against what the question costs the broker.
func pollInterval(partitions int) time.Duration {
	return 5*time.Millisecond + time.Duration(partitions)*100*time.Microsecond
}
