package flow

import (
	"errors"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/topology"
)

// written is a cluster with n records in a topic, of one key but for the first.
func written(t *testing.T, n int) (*kfake.Cluster, *kafka.Cluster) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	cluster, err := new(kafka.Dialer).Dial(topology.Cluster{Alias: "eu", Inside: topology.Endpoint{Bootstrap: c.ListenAddrs()}}, kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	for i := range n {
		if err := cluster.Client.ProduceSync(t.Context(), kgo.KeyStringRecord(strconv.FormatBool(i == 0), "x")).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return c, cluster
}

// Compaction took the batch that tells where to go on. That is said, and not taken for a log with nothing in it.
func TestWhatTellsWhereToGoOnIsGone(t *testing.T) {
	c, cluster := written(t, 4)
	compact := "compact"
	if _, err := cluster.Admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "cleanup.policy", Value: &compact}}, "t"); err != nil {
		t.Fatal(err)
	}
	c.Compact()
	at, err := cluster.Locate(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	if next, err := (&fence{cluster: cluster}).behind(t.Context(), at["t"][0], &foreign{Batch: checkpoint.Batch{Base: 1}, next: 2}); err == nil {
		t.Errorf("it goes on at %s", next)
	}
}

// A destination's log that does not parse is said, and not read for ever.
func TestADestinationsLogThatDoesNotParse(t *testing.T) {
	c, cluster := written(t, 1)
	at, err := cluster.Locate(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	c.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		p := kmsg.NewFetchResponseTopicPartition()
		p.RecordBatches = make([]byte, 100)
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic, topic.TopicID, topic.Partitions = "t", at["t"][0].TopicID, append(topic.Partitions, p)
		resp := kreq.ResponseKind().(*kmsg.FetchResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	got := (&fence{cluster: cluster}).holdData(t.Context(), at["t"])
	if _, corrupt := errors.AsType[*batch.CorruptError](got[0].err); !corrupt {
		t.Errorf("%+v", got[0])
	}
}
