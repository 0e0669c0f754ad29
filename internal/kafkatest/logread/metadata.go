package logread

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topics returns the names of all topics of a cluster that are not Kafka's own.
//
// It asks a broker. kadm's answer may be one that the client keeps, up to its MetadataMinAge old: too old for a judge.
func Topics(ctx context.Context, client *kgo.Client) ([]string, error) {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = nil // all
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("listing topics: %w", err)
	}
	var names []string
	for _, topic := range response.Topics {
		if !topic.IsInternal && topic.Topic != nil {
			names = append(names, *topic.Topic)
		}
	}
	return names, nil
}

// ClusterID returns the id that a cluster has.
func ClusterID(ctx context.Context, client *kgo.Client) (string, error) {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{} // none
	var id string
	err := persist(ctx, func() error {
		response, err := request.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		if response.ClusterID == nil {
			return errors.New("it tells none")
		}
		id = *response.ClusterID
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("asking for the cluster's id: %w", err)
	}
	return id, nil
}

// describe asks for a topic's id, partitions and leaders as they are now.
func describe(ctx context.Context, client *kgo.Client, topic string) (kmsg.MetadataResponseTopic, error) {
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &topic
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = append(request.Topics, asked)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return kmsg.MetadataResponseTopic{}, err
	}
	if len(response.Topics) != 1 {
		return kmsg.MetadataResponseTopic{}, kerr.UnknownTopicOrPartition
	}
	return response.Topics[0], kerr.ErrorForCode(response.Topics[0].ErrorCode)
}
