package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meshd/meshd/kafka"
)

// A broker may hear of a topic later than the one that made it: what is missing is asked for again before it counts as lost.
const (
	lateTries = 5
	lateWait  = 100 * time.Millisecond
)

// EnsureWriters makes sure that a cluster has its registry of writers. It is made once: the registry of topics keeps its id, and where
// it is not there any more, or is another one, the error is a kafka.Reason registry_lost, until it is rebuilt.
func EnsureWriters(ctx context.Context, c *kafka.Cluster, brokers int) error {
	if err := EnsureOwned(ctx, c, brokers, 1, TopicsTopic); err != nil {
		return err
	}
	topics := NewTopics(c)
	if err := topics.Refresh(ctx); err != nil {
		return err
	}
	id, err := writersID(ctx, c, topics.writers != "")
	if err == nil && id == "" && topics.writers == "" {
		if err = EnsureOwned(ctx, c, brokers, 1, WritersTopic); err == nil {
			id, err = writersID(ctx, c, true)
		}
	}
	switch {
	case err != nil:
		return err
	case id == "" || topics.writers != "" && topics.writers != id:
		return lost(c, ErrNoTable)
	case topics.writers == "":
		return topics.put(ctx, writersKey, []byte(id))
	}
	return nil
}

// writersID names the topic that is there now; "" without one. Brokers before 2.8 give no ids: there all are the same.
func writersID(ctx context.Context, c *kafka.Cluster, wanted bool) (string, error) {
	for tries := 0; ; tries++ {
		at, err := c.Locate(ctx, WritersTopic)
		if err != nil {
			return "", fmt.Errorf("looking for the registry of writers: %w", err)
		}
		if ps := at[WritersTopic]; len(ps) > 0 {
			return writersName(ps[0].TopicID), nil
		}
		if !wanted || tries == lateTries {
			return "", nil
		}
		if err := kafka.Sleep(ctx, lateWait); err != nil {
			return "", err
		}
	}
}

// lost says of an error of the registry of writers that it means its loss, if so.
func lost(c *kafka.Cluster, err error) error {
	const what = "the registry of writers of cluster %s (%s) "
	var back *WentBackError
	switch {
	case IsNoTable(err), errors.As(err, &back) && back.End < 0:
		return kafka.Because(kafka.RegistryLost, fmt.Sprintf(what+"was there, and is gone", c.Config.Alias, WritersTopic),
			"without it nobody can tell who writes there: stop all nodes of this datacenter, run meshd registry rebuild --at "+string(c.Config.Alias)+", and start them")
	case back != nil:
		return kafka.Because(kafka.RegistryLost, fmt.Sprintf(what+"lost records: %s", c.Config.Alias, WritersTopic, err),
			"an unclean leader election did that; stop all nodes of this datacenter, run meshd registry rebuild --at "+string(c.Config.Alias)+", and start them")
	}
	return err
}
