package flow

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/kafka/batch"
	"github.com/meshd/meshd/topology"
)

// A destination's log that does not parse is said, and not read for ever.
func TestADestinationsLogThatDoesNotParse(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cluster, err := new(kafka.Dialer).Dial(topology.Cluster{Alias: "eu", Inside: topology.Endpoint{Bootstrap: c.ListenAddrs()}}, kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	if err := cluster.Client.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr(); err != nil {
		t.Fatal(err)
	}
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
