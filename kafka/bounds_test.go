package kafka_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
)

// deleteTo has the log of a partition begin at an offset.
func (r *reading) deleteTo(partition int32, offset int64) {
	r.Helper()
	to := kadm.Offsets{}
	to.AddOffset("orders", partition, offset, -1)
	rs, err := kadm.NewClient(r.cluster.Client).DeleteRecords(r.ctx, to)
	if err = errors.Join(err, rs.Error()); err != nil {
		r.Fatal(err)
	}
}

func TestBounds(t *testing.T) {
	r := newReading(t, 3)
	for range 5 {
		r.produce(1, "a")
		r.produce(2, "a")
	}
	r.deleteTo(1, 3)
	r.deleteTo(2, 5)
	ps := append(r.locate(), kafka.Partition{Topic: "orders", Number: 7, Leader: r.locate()[0].Leader})
	found, err := r.cluster.Bounds(r.ctx, ps)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]int64{{0, 0}, {3, 5}, {5, 5}} {
		if x := found[i]; x.Err != nil || [2]int64{x.Start, x.End} != want {
			t.Errorf("%s: %+v, want %v", ps[i], x, want)
		}
	}
	if _, err := r.cluster.BoundsOf(r.ctx, ps[1]); err != nil {
		t.Error(err)
	}
	// One that is not there has nothing to do with the others.
	if err := found[3].Err; !errors.Is(err, kerr.UnknownTopicOrPartition) || !strings.Contains(err.Error(), "orders/7") {
		t.Error(err)
	}
	if none, err := r.cluster.Bounds(r.ctx, nil); err != nil || len(none) > 0 {
		t.Error(none, err)
	}
	gone, cancel := context.WithCancel(r.ctx)
	cancel()
	found, err = r.cluster.Bounds(gone, ps)
	for _, x := range found {
		if err == nil || !errors.Is(x.Err, err) {
			t.Errorf("%v; %v", err, x.Err)
		}
	}
	if len(found) != len(ps) {
		t.Errorf("%d answers", len(found))
	}
}

// Retention went behind the end that was told a moment before.
func TestAnEndIsNotBelowTheStart(t *testing.T) {
	r := newReading(t, 1)
	r.fake.ControlKey(int16(kmsg.ListOffsets), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		p := kmsg.NewListOffsetsResponseTopicPartition()
		if p.Offset = 3; kreq.(*kmsg.ListOffsetsRequest).Topics[0].Partitions[0].Timestamp == kafka.Start {
			p.Offset = 5
		}
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic, topic.Partitions = "orders", append(topic.Partitions, p)
		resp := kreq.ResponseKind().(*kmsg.ListOffsetsResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	if log, err := r.cluster.BoundsOf(r.ctx, r.locate()[0]); err != nil || log.Start != 5 || log.End != 5 {
		t.Errorf("%+v, %v", log, err)
	}
}
