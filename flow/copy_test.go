package flow_test

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/topology"
)

func TestCopiesEveryRecordOnceInOrder(t *testing.T) {
	us, eu := fake(t), fake(t)
	top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
	src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	create(ctx, t, src, "orders", 8)
	produce(ctx, t, src, "orders", 8, 0, 10_000)
	if err := manager(t, "eu").Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	produce(ctx, t, src, "orders", 8, 10_000, 20_000)
	same(t, records(ctx, t, us.ListenAddrs(), "orders", 20_000), records(ctx, t, eu.ListenAddrs(), "us.orders", 20_000))
}

// A second owner takes every shard while the first goes on: the first is shut out, and nothing is lost, twice or out of order.
func TestTwoOwnersAtOnce(t *testing.T) {
	us, eu := fake(t), fake(t)
	top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
	src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	create(ctx, t, src, "orders", 8)
	produce(ctx, t, src, "orders", 8, 0, 5_000)
	for owner := range 4 {
		if err := manager(t, "eu").Apply(top, all("us", "eu", 1)); err != nil {
			t.Fatal(err)
		}
		produce(ctx, t, src, "orders", 8, 5_000*(owner+1), 5_000*(owner+2))
	}
	same(t, records(ctx, t, us.ListenAddrs(), "orders", 25_000), records(ctx, t, eu.ListenAddrs(), "us.orders", 25_000))
}

// Every transaction leaves a marker, and so a gap at the source; every other one is aborted.
func TestAbortedRecordsNeverArrive(t *testing.T) {
	us, eu := fake(t), fake(t)
	top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
	create(ctx, t, client(t, us.ListenAddrs()), "orders", 4)
	for owner := range 2 {
		if err := manager(t, "eu").Apply(top, all("us", "eu", 1)); err != nil {
			t.Fatal(err)
		}
		src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("app"))
		for txn := range 100 {
			if err := src.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			from := (owner*100 + txn) * 10
			produce(ctx, t, src, "orders", 4, from, from+10)
			end := kgo.TryCommit
			if txn%2 == 1 {
				end = kgo.TryAbort
			}
			if err := src.EndTransaction(ctx, end); err != nil {
				t.Fatal(errors.Join(errors.New("ending transaction"), err))
			}
		}
	}
	got := records(ctx, t, eu.ListenAddrs(), "us.orders", 1000)
	want := committed(ctx, t, us.ListenAddrs(), "orders", 1000)
	same(t, want, got)
}

// A topic that is named like a copy and that meshd did not make is neither copied nor written.
func TestLookAlikesAreLeftAlone(t *testing.T) {
	us, eu := fake(t), fake(t)
	top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
	src := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	dst := client(t, eu.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for _, topic := range []string{"orders", "prod.orders", "eu.made-by-an-application"} {
		create(ctx, t, src, topic, 1)
		produce(ctx, t, src, topic, 1, 0, 10)
	}
	create(ctx, t, src, "taken", 1)
	create(ctx, t, dst, "us.taken", 1)
	m := manager(t, "eu")
	if err := m.Apply(top, all("us", "eu", 1)); err != nil {
		t.Fatal(err)
	}
	records(ctx, t, eu.ListenAddrs(), "us.orders", 10)
	records(ctx, t, eu.ListenAddrs(), "us.prod.orders", 10) // a dot alone means nothing
	topics := topicsOf(ctx, t, dst)
	if topics["us.eu.made-by-an-application"] {
		t.Error("a look-alike was copied")
	}
	for _, st := range m.Status().Pairs[0].Topics {
		unclaimed := st.Reason != nil && st.Reason.Code == "unclaimed"
		if want := st.Topic == "taken" || st.Topic == "eu.made-by-an-application"; want != unclaimed {
			t.Errorf("topic %s: %+v", st.Topic, st.Reason)
		}
	}
}

func TestBothDirectionsDoNotLoop(t *testing.T) {
	t.Parallel()
	us, eu := fake(t), fake(t)
	top, ctx := pairOf(t, us.ListenAddrs(), eu.ListenAddrs()), deadline(t)
	a := client(t, us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	b := client(t, eu.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	create(ctx, t, a, "orders", 2)
	create(ctx, t, b, "orders", 2)
	for dc, other := range map[string]topology.Alias{"us": "eu", "eu": "us"} {
		if err := manager(t, dc).Apply(top, all(other, topology.Alias(dc), 1)); err != nil {
			t.Fatal(err)
		}
	}
	produce(ctx, t, a, "orders", 2, 0, 1000)
	produce(ctx, t, b, "orders", 2, 0, 1000)
	records(ctx, t, eu.ListenAddrs(), "us.orders", 1000)
	records(ctx, t, us.ListenAddrs(), "eu.orders", 1000)
	create(ctx, t, a, "second", 1)
	produce(ctx, t, a, "second", 1, 0, 1) // a topic made after the copies: where it arrives, they have been looked at
	records(ctx, t, eu.ListenAddrs(), "us.second", 1)
	for _, cl := range []*kgo.Client{a, b} {
		for topic := range topicsOf(ctx, t, cl) {
			if topic == "us.eu.orders" || topic == "eu.us.orders" {
				t.Errorf("%s: a copy was copied", topic)
			}
		}
	}
}
