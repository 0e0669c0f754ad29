package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/topology"
)

// Cluster is a handle on one Kafka cluster: a client and the admin helpers on it.
type Cluster struct {
	Config topology.Cluster
	Client *kgo.Client
	Admin  *kadm.Client
	good   atomic.Pointer[kgo.Broker] // the broker that answered last
}

func newCluster(c topology.Cluster, cl *kgo.Client) *Cluster {
	adm := kadm.NewClient(cl)
	adm.SetTimeoutMillis(int32(max(c.RequestTimeout.Milliseconds(), 1000)))
	return &Cluster{Config: c, Client: cl, Admin: adm}
}

// Close ends all connections and waits for the client's goroutines.
func (c *Cluster) Close() { c.Client.Close() }

// Identity asks the cluster who it is, and refuses another cluster than the one that the topology names.
func (c *Cluster) Identity(ctx context.Context) (id string, brokers int, err error) {
	resp, err := c.anywhere(ctx, func() kmsg.Request {
		req := metadataRequest(nil)
		req.Topics = []kmsg.MetadataRequestTopic{} // none
		return req
	})
	if err != nil {
		return "", 0, fmt.Errorf("asking cluster %s who it is: %w", c.Config.Alias, err)
	}
	m := resp.(*kmsg.MetadataResponse)
	if m.ClusterID != nil {
		id = *m.ClusterID
	}
	if want := c.Config.ID; want != "" && want != id {
		return "", 0, &WrongClusterError{Alias: c.Config.Alias, Want: want, Got: id}
	}
	return id, len(m.Brokers), nil
}

// WrongClusterError says that another cluster answers at a cluster's address.
type WrongClusterError struct {
	Alias     topology.Alias
	Want, Got string
}

func (e *WrongClusterError) Error() string {
	return fmt.Sprintf("cluster %s: the topology expects cluster id %s, but %s answers", e.Alias, e.Want, e.Got)
}

// Partition is a place in a cluster as metadata shows it.
type Partition struct {
	Topic       string
	TopicID     [16]byte // zero where the cluster has no topic ids
	Number      int32
	Leader      int32 // -1: none
	LeaderEpoch int32
}

func (p Partition) String() string { return fmt.Sprintf("%s/%d", p.Topic, p.Number) }

// Locate finds the leaders of the partitions of topics, or of all topics if none is named. A topic that does not exist is absent from
// the answer. One that was named, and of which the cluster says anything else, is an error: nobody knows whether it exists.
func (c *Cluster) Locate(ctx context.Context, topics ...string) (map[string][]Partition, error) {
	md, err := c.metadata(ctx, topics...)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]Partition, len(md.Topics))
	for i := range md.Topics {
		t := &md.Topics[i]
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case t.Topic == nil:
		case err == nil:
			out[*t.Topic] = partitionsOf(t)
		case Classify(err) == Denied:
			return nil, WithHint(fmt.Errorf("looking for topic %s on cluster %s: %w", *t.Topic, c.Config.Alias, err), Grant(resourceOf(*t.Topic), "Describe", "Read"))
		case len(topics) > 0 && !errors.Is(err, kerr.UnknownTopicOrPartition):
			return nil, fmt.Errorf("looking for topic %s on cluster %s: %w", *t.Topic, c.Config.Alias, err)
		}
	}
	return out, nil
}

// resourceOf is what a right on a topic is granted for: all of meshd's have one prefix.
func resourceOf(topic string) string {
	if strings.HasPrefix(topic, "meshd.") {
		return "--topic meshd. --resource-pattern-type prefixed"
	}
	return "--topic " + topic
}

func partitionsOf(t *kmsg.MetadataResponseTopic) []Partition {
	ps := make([]Partition, 0, len(t.Partitions))
	for _, p := range t.Partitions {
		ps = append(ps, Partition{Topic: *t.Topic, TopicID: t.TopicID, Number: p.Partition, Leader: p.Leader, LeaderEpoch: p.LeaderEpoch})
	}
	slices.SortFunc(ps, func(a, b Partition) int { return int(a.Number - b.Number) })
	return ps
}
