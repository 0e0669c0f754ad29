package writers

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/test/validate"
	"github.com/meshd/meshd/topology"
)

// source is the cluster from which most tests copy.
func source(t testing.TB) *kafkatest.Cluster {
	t.Helper()
	return kafkatest.Shared(t, "us", kafkatest.WithProperties(map[string]string{"broker.session.timeout.ms": "60000"}))
}

// one is a way for a new topic of one partition.
func one(t testing.TB, from, to *kafkatest.Cluster) way {
	t.Helper()
	w := way{from: from, to: to, origin: "us", mesh: "writers", topics: []string{kafkatest.UniqueTopic(t, "t")}}
	from.CreateTopic(t, w.topics[0], 1)
	return w
}

// together is a way for n new topics of one partition whose partitions have one writer.
func together(t testing.TB, from, to *kafkatest.Cluster, n int) way {
	t.Helper()
	w := way{from: from, to: to, origin: "us", mesh: "writers"}
	base := kafkatest.UniqueTopic(t, "t")
	want := topology.ShardOf(base+"-0", 0)
	for i := 0; len(w.topics) < n; i++ {
		if name := base + "-" + strconv.Itoa(i); topology.ShardOf(name, 0) == want {
			w.topics = append(w.topics, name)
			from.CreateTopic(t, name, 1)
		}
	}
	return w
}

// feed produces records to partition 0 of a topic, whose values say which they are.
type feed struct {
	t      testing.TB
	client *kgo.Client
	topic  string
	n      int
	stamp  time.Time // of all records; zero: now
}

func (w way) feed(t testing.TB, topic string) *feed {
	t.Helper()
	return &feed{t: t, topic: topic, client: w.from.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(topic))}
}

// add produces n records more, and returns the offset behind the last.
func (f *feed) add(n int) (next int64) {
	f.t.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Value: fmt.Appendf(nil, "%s %d", f.topic, f.n), Timestamp: f.stamp}
		f.n++
	}
	must(f.t, f.client.ProduceSync(f.t.Context(), records...).FirstErr())
	return records[n-1].Offset + 1
}

// same waits until the copy is complete, and fails if it is not the source's.
func (w way) same(t testing.TB, topics ...string) {
	t.Helper()
	for _, topic := range topics {
		var report validate.Report
		await(t, "a complete copy of "+topic, func() (string, bool) {
			var err error
			report, err = validate.Copy(t.Context(), client(t, w.from), client(t, w.to), topic, w.remote(topic))
			must(t, err)
			return report.String(), report.OK() || report.Counts != (validate.Counts{validate.Lost: report.Counts[validate.Lost]})
		})
		if !report.OK() {
			t.Error(report)
		} else {
			t.Logf("%s: %d records compared equal", topic, report.SourceRecords)
		}
	}
}

var clients sync.Map // by test and cluster

// client is a plain client of a cluster, one for a test.
func client(t testing.TB, c *kafkatest.Cluster) *kgo.Client {
	t.Helper()
	key := [2]any{t, c}
	if had, ok := clients.Load(key); ok {
		return had.(*kgo.Client)
	}
	cl := c.Client(t)
	clients.Store(key, cl)
	t.Cleanup(func() { clients.Delete(key) })
	return cl
}

func admin(t testing.TB, c *kafkatest.Cluster) *kadm.Client {
	t.Helper()
	return kadm.NewClient(client(t, c))
}

// pin has partitions of a topic lie on these brokers, of which the first leads, and returns when they do.
func pin(t testing.TB, c *kafkatest.Cluster, topic string, brokers ...int32) {
	t.Helper()
	a := admin(t, c)
	md, err := a.Metadata(t.Context(), topic)
	must(t, err)
	req := kadm.AlterPartitionAssignmentsReq{}
	for p := range md.Topics[topic].Partitions {
		req.Assign(topic, p, brokers)
	}
	rs, err := a.AlterPartitionAssignments(t.Context(), req)
	must(t, err)
	must(t, rs.Error())
	await(t, fmt.Sprintf("%s to lie on brokers %v", topic, brokers), func() (string, bool) {
		md, err := a.Metadata(t.Context(), topic)
		must(t, err)
		elect := kadm.TopicsSet{}
		for p, x := range md.Topics[topic].Partitions {
			if fmt.Sprint(x.Replicas) != fmt.Sprint(brokers) || len(x.ISR) != len(brokers) {
				return fmt.Sprintf("partition %d: replicas %v, in sync %v, leader %d", p, x.Replicas, x.ISR, x.Leader), false
			}
			if x.Leader != brokers[0] {
				elect.Add(topic, p)
			}
		}
		if len(elect) > 0 {
			_, err := a.ElectLeaders(t.Context(), kadm.ElectPreferredReplica, elect)
			return fmt.Sprintf("leaders to be elected: %v, %v", elect, err), false
		}
		return "", true
	})
}

// set sets a topic's configs: pairs of key and value.
func set(t testing.TB, c *kafkatest.Cluster, topic string, configs ...string) {
	t.Helper()
	var alter []kadm.AlterConfig
	for i := 0; i < len(configs); i += 2 {
		alter = append(alter, kadm.AlterConfig{Op: kadm.SetConfig, Name: configs[i], Value: &configs[i+1]})
	}
	rs, err := admin(t, c).AlterTopicConfigs(t.Context(), alter, topic)
	must(t, err)
	for _, r := range rs {
		must(t, r.Err)
	}
}

// producers are those that the leader of partition 0 of a topic remembers.
func producers(t testing.TB, c *kafkatest.Cluster, topic string) (all []kadm.DescribedProducer) {
	t.Helper()
	var s kadm.TopicsSet
	s.Add(topic, 0)
	rs, err := admin(t, c).DescribeProducers(t.Context(), s)
	must(t, err)
	rs.EachProducer(func(p kadm.DescribedProducer) { all = append(all, p) })
	return all
}
