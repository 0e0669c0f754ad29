package kafka_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// reading is a session over all partitions of a topic, on a cluster of one broker.
type reading struct {
	*testing.T
	ctx     context.Context //nolint:containedctx // the deadline of the test
	fake    *kfake.Cluster
	cluster *kafka.Cluster
	session *kafka.Session
}

func newReading(t *testing.T, partitions int) *reading {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(int32(partitions), "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	c := dial(t, fake.ListenAddrs())
	r := &reading{t, ctx, fake, c, kafka.NewSession(c, 0)}
	for _, p := range r.locate() {
		r.session.Set(kafka.Want{Partition: p, MaxBytes: 1 << 20, LastEpoch: -1})
	}
	return r
}

func dial(t *testing.T, addresses []string) *kafka.Cluster {
	t.Helper()
	d := &kafka.Dialer{Datacenter: "us", ClientID: "test"}
	c, err := d.Dial(topology.Cluster{Alias: "us", Datacenter: "us", Inside: topology.Endpoint{Bootstrap: addresses}},
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (r *reading) locate() []kafka.Partition {
	r.Helper()
	at, err := r.cluster.Locate(r.ctx, "orders")
	if err != nil {
		r.Fatal(err)
	}
	return at["orders"]
}

func (r *reading) produce(partition int32, value string) {
	r.Helper()
	if err := r.cluster.Client.ProduceSync(r.ctx, &kgo.Record{Topic: "orders", Partition: partition, Value: []byte(value)}).FirstErr(); err != nil {
		r.Fatal(err)
	}
}

// fetch asks until something has come, and goes on behind it. It returns how many partitions the answers named, and which brought records.
func (r *reading) fetch() (named int, brought map[int32]bool) {
	r.Helper()
	for brought = map[int32]bool{}; len(brought) == 0; {
		got, err := r.session.Fetch(r.ctx, 50*time.Millisecond, 1<<20)
		if err != nil {
			r.Fatal(err)
		}
		named += len(got)
		for _, g := range got {
			if g.Err != nil {
				r.Fatalf("partition %d: %v", g.Partition, g.Err)
			}
			w := g.Want
			if len(g.RecordBatches) > 0 {
				brought[g.Partition] = true
				w.Offset = g.HighWatermark
			}
			r.session.Set(w)
		}
	}
	return named, brought
}

func TestSessionNamesOnlyWhatChanged(t *testing.T) {
	r := newReading(t, 50)
	r.produce(7, "a")
	if _, brought := r.fetch(); fmt.Sprint(brought) != "map[7:true]" {
		t.Fatalf("brought %v", brought)
	}
	if got, err := r.session.Fetch(r.ctx, 0, 1<<20); err != nil || len(got) > 0 {
		t.Fatalf("%d partitions named though nothing happened, %v", len(got), err)
	}
	r.produce(8, "b")
	if named, brought := r.fetch(); named != 1 || !brought[8] {
		t.Errorf("%d partitions named, %v brought; 8 alone is wanted", named, brought)
	}
}

func TestSessionIsBegunAnewWhenTheBrokerForgotIt(t *testing.T) {
	for _, e := range []*kerr.Error{kerr.FetchSessionIDNotFound, kerr.InvalidFetchSessionEpoch, kerr.FetchSessionTopicIDError} {
		t.Run(e.Message, func(t *testing.T) {
			r := newReading(t, 3)
			r.produce(0, "a")
			r.fetch()
			forgot := false
			r.fake.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
				r.fake.KeepControl()
				if forgot || req.(*kmsg.FetchRequest).SessionEpoch == 0 {
					return nil, nil, false
				}
				forgot = true
				resp := req.ResponseKind().(*kmsg.FetchResponse)
				resp.ErrorCode = e.Code
				return resp, nil, true
			})
			r.produce(1, "b")
			if _, brought := r.fetch(); !brought[1] || brought[0] || !forgot {
				t.Errorf("brought %v", brought)
			}
		})
	}
}

func TestSessionDrops(t *testing.T) {
	r := newReading(t, 3)
	r.produce(0, "a")
	r.fetch()
	r.session.Drop(kafka.Spot{Topic: "orders", Number: 1})
	r.produce(1, "b")
	r.produce(2, "c")
	if _, brought := r.fetch(); brought[1] || !brought[2] {
		t.Errorf("brought %v, want 2 alone", brought)
	}
	if r.session.Len() != 2 {
		t.Errorf("reads %d partitions", r.session.Len())
	}
}

// A topic that was made again is another topic: its partitions are asked for by the new id, and those of the old one are forgotten.
func TestSessionFollowsATopicThatWasMadeAgain(t *testing.T) {
	r := newReading(t, 2)
	r.produce(0, "a")
	r.fetch()
	adm := kadm.NewClient(r.cluster.Client)
	if _, err := adm.DeleteTopic(r.ctx, "orders"); err != nil {
		t.Fatal(err)
	}
	if _, err := adm.CreateTopic(r.ctx, 2, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	r.cluster.Client.PurgeTopicsFromClient("orders")
	for _, p := range r.locate() {
		r.session.Set(kafka.Want{Partition: p, MaxBytes: 1 << 20, LastEpoch: -1})
	}
	r.produce(1, strconv.Itoa(2))
	if _, brought := r.fetch(); !brought[1] {
		t.Errorf("brought %v", brought)
	}
}
