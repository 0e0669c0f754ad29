package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// makeTopic makes a topic at a cluster.
func makeTopic(ctx context.Context, c *cluster, topic string, partitions int) error {
	return c.with(ctx, func(ctx context.Context, client *kgo.Client) error {
		if _, err := kadm.NewClient(client).CreateTopic(ctx, int32(partitions), 1, nil, topic); err != nil {
			return fmt.Errorf("making topic %s at %s: %w", topic, c.alias, err)
		}
		return nil
	})
}

// dropTopics deletes topics at a cluster, where they are.
func dropTopics(ctx context.Context, c *cluster, topics ...string) {
	_ = c.with(ctx, func(ctx context.Context, client *kgo.Client) error { // what stays only costs space
		_, err := kadm.NewClient(client).DeleteTopics(ctx, topics...)
		return err
	})
}

// fill makes a topic and produces all records of a workload to it.
func fill(ctx context.Context, c *cluster, topic string, w workload) error {
	if err := makeTopic(ctx, c, topic, w.partitions); err != nil {
		return err
	}
	return produce(ctx, c, topic, w, 0)
}

// produce writes the records of a workload, numbered from a first one on, as fast as it goes.
func produce(ctx context.Context, c *cluster, topic string, w workload, first int) error {
	client, err := c.client(append(w.options(), kgo.ProducerLinger(50*time.Millisecond), kgo.MaxBufferedRecords(20_000))...)
	if err != nil {
		return err
	}
	defer client.Close()
	var failed error
	var once sync.Once
	for i := range w.records {
		client.Produce(ctx, w.record(topic, first+i), func(_ *kgo.Record, err error) {
			if err != nil {
				once.Do(func() { failed = err })
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("producing to %s: %w", topic, failed)
	}
	return nil
}
