package checkpoint

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// A table's log that lost records which were read, and has grown past that place since, is told by the leader epoch of what was read last.
func TestTableWhoseLogParted(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	c, err := new(kafka.Dialer).Dial(topology.Cluster{Alias: "us", RequestTimeout: 5 * time.Second, Inside: topology.Endpoint{Bootstrap: fake.ListenAddrs()}}, TableWriter()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	read := 0
	table := Table{Cluster: c, Topic: "t", Apply: func(*kgo.Record) error { read++; return nil }}
	put := func() {
		if err := Append(t.Context(), c, &kgo.Record{Topic: "t", Key: []byte("k"), Value: []byte("v")}); err != nil {
			t.Fatal(err)
		}
	}
	put()
	if err := table.Refresh(t.Context()); err != nil || read != 1 {
		t.Fatal(read, err)
	}
	put()
	var behind atomic.Int32
	fake.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.FetchRequest)
		behind.Store(req.Topics[0].Partitions[0].LastFetchedEpoch)
		p := kmsg.NewFetchResponseTopicPartition()
		p.DivergingEpoch.Epoch, p.DivergingEpoch.EndOffset = 0, 0
		rt := kmsg.NewFetchResponseTopic()
		rt.Topic, rt.TopicID, rt.Partitions = req.Topics[0].Topic, req.Topics[0].TopicID, append(rt.Partitions, p)
		resp := r.ResponseKind().(*kmsg.FetchResponse)
		resp.Topics = append(resp.Topics, rt)
		return resp, nil, true
	})
	err = table.Refresh(t.Context())
	if went, ok := errors.AsType[*WentBackError](err); !ok || went.End != 0 || behind.Load() < 0 || read != 1 {
		t.Fatalf("%v; it asked behind epoch %d", err, behind.Load())
	}
	if err := table.Refresh(t.Context()); err != nil || read != 2 { // the log is the same after all
		t.Fatal(read, err)
	}
}
