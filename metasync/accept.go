package metasync

import (
	"context"
	"fmt"
	"slices"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
)

// Accept has all who read a topic at its origin go on with the one that is there now, behind the one that was there before; and if the topic
// is a copy, or shared, those who write it fill it anew. It returns which incarnation it is now, and whether it was that already.
func Accept(ctx context.Context, c *kafka.Cluster, topic string) (number int32, already bool, err error) {
	id, err := presentID(ctx, c, topic)
	if err != nil {
		return 0, false, err
	}
	registry, err := registryAt(ctx, c)
	if err != nil {
		return 0, false, err
	}
	all := registry.Incarnations(topic)
	i := slices.IndexFunc(all, func(x checkpoint.Incarnation) bool { return x.TopicID == id })
	switch {
	case i >= 0 && i == len(all)-1:
		return all[i].Number, true, nil
	case i >= 0:
		return 0, false, kafka.Because(kafka.SourceRecreated, fmt.Sprintf("a later topic %s than the one that is there was accepted already", topic), "restart brokers that lag behind, or make the topic again")
	}
	claim := checkpoint.Claim{Topic: topic, Incarnation: checkpoint.Incarnation{TopicID: id, Number: 1}} // of one that nobody registered there was one before
	if len(all) > 0 {
		claim.Number = all[len(all)-1].Number + 1
	}
	if err := registry.Claim(ctx, checkpoint.NewID(), claim); err != nil {
		return 0, false, err
	}
	if all = registry.Incarnations(topic); all[len(all)-1] != claim.Incarnation {
		return 0, false, fmt.Errorf("accepting topic %s: something else accepted it at the same time: ask again", topic)
	}
	return claim.Number, false, nil
}

func presentID(ctx context.Context, c *kafka.Cluster, topic string) (string, error) {
	ps, err := partitionsOf(ctx, c, topic)
	if err != nil {
		return "", err
	}
	id := checkpoint.TopicID(ps[0].TopicID)
	if id == "" {
		return "", kafka.Because(kafka.SourceRecreated, fmt.Sprintf("the brokers of cluster %s give topics no ids", c.Config.Alias), "Kafka does from 2.8 on")
	}
	return id, nil
}
