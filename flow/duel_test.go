package flow_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/flow"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// ring is where nodes fight for the one shard that has records.
type ring struct {
	*testing.T
	ctx      context.Context //nolint:containedctx // the deadline of the test
	us, eu   *kfake.Cluster
	top      *topology.Topology
	src      *kgo.Client
	shard    topology.Shard
	sent     int
	takeOver atomic.Int32 // InitProducerIds for meshd's ids
	together atomic.Bool  // the first two are answered when both have come
}

func newRing(t *testing.T) *ring {
	t.Helper()
	r := &ring{T: t, ctx: deadline(t), us: fake(t), eu: fake(t)}
	r.top = pairOf(t, r.us.ListenAddrs(), r.eu.ListenAddrs())
	r.src = client(t, r.us.ListenAddrs(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	r.shard = topology.Shard{Origin: "us", Destination: "eu", Number: topology.ShardOf("orders", 0)}
	create(r.ctx, t, r.src, "orders", 1)
	r.eu.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.eu.KeepControl()
		if id := req.(*kmsg.InitProducerIDRequest).TransactionalID; id != nil && strings.HasPrefix(*id, "meshd.") {
			r.takeOver.Add(1)
			for r.together.Load() && r.takeOver.Load() < 2 && r.ctx.Err() == nil {
				r.eu.SleepControl(func() { <-time.After(time.Millisecond) })
			}
		}
		return nil, nil, false
	})
	return r
}

// held is the shard, held over a registration.
func (r *ring) held(over int64) []flow.Held {
	return []flow.Held{{Shard: r.shard, Epoch: 1, Over: over}}
}

func (r *ring) apply(m *flow.Manager, over int64) {
	r.Helper()
	if err := m.Apply(r.top, r.held(over)); err != nil {
		r.Fatal(err)
	}
}

// flows produces 100 records more, and awaits that all that were ever produced are in the copy, once.
func (r *ring) flows() {
	r.Helper()
	produce(r.ctx, r.T, r.src, "orders", 1, r.sent, r.sent+100)
	r.sent += 100
	same(r.T, records(r.ctx, r.T, r.us.ListenAddrs(), "orders", r.sent), records(r.ctx, r.T, r.eu.ListenAddrs(), "us.orders", r.sent))
}

func (r *ring) destination() *kafka.Cluster {
	r.Helper()
	d := &kafka.Dialer{Datacenter: "eu", ClientID: "other"}
	c, err := d.Dial(topology.Cluster{Alias: "eu", Datacenter: "eu", Inside: topology.Endpoint{Bootstrap: r.eu.ListenAddrs()}}, checkpoint.TableWriter()...)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(c.Close)
	return c
}

// last reads who registered last, and how many registrations there are in all.
func (r *ring) last() (checkpoint.Registration, int64) {
	r.Helper()
	w := checkpoint.NewWriters(r.destination())
	if err := w.Refresh(r.ctx); err != nil {
		r.Fatal(err)
	}
	at, _ := w.Holder(r.shard)
	return at, at.Seq + 1
}

// steal shuts whoever writes the shard out of its partition and of its progress, as somebody else's take-over does.
func (r *ring) steal() kafka.ProducerID {
	r.Helper()
	c, txn := r.destination(), "meshd.test."+r.shard.String()
	id, err := c.InitProducer(r.ctx, txn)
	if err != nil {
		r.Fatal(err)
	}
	at, err := c.Coordinator(r.ctx, txn)
	if err != nil {
		r.Fatal(err)
	}
	ps := []kafka.Partition{{Topic: "us.orders"}, {Topic: checkpoint.ProgressTopic("us"), Number: int32(r.shard.Number)}}
	if _, err = c.AddPartitions(r.ctx, at, txn, id, ps); err == nil {
		err = c.AbortTxn(r.ctx, at, txn, id)
	}
	if err != nil {
		r.Fatal(err)
	}
	return id
}

func state(p flow.PairStatus) (st flow.State, why string) {
	if len(p.Shards) == 0 {
		return flow.New, ""
	}
	if r := p.Shards[0].Reason; r != nil {
		why = r.Error()
	}
	return p.Shards[0].State, why
}

func is(want flow.State, why string) func(flow.PairStatus) bool {
	return func(p flow.PairStatus) bool {
		st, reason := state(p)
		return st == want && strings.Contains(reason, why)
	}
}

func named(t *testing.T, name string) *flow.Manager {
	t.Helper()
	return managerAs(t, name, "eu")
}

// Two nodes are both told that the shard is theirs: one gives way. Mostly it does so before it takes anything.
func TestTwoThatAreBothToldComeToRest(t *testing.T) {
	t.Parallel()
	for _, together := range []bool{false, true} {
		r := newRing(t)
		r.together.Store(together)
		a, b := named(t, "eu-1"), named(t, "eu-2")
		for _, m := range []*flow.Manager{a, b} {
			go func() {
				if err := m.Apply(r.top, r.held(flow.None)); err != nil {
					t.Error(err)
				}
			}()
		}
		r.flows()
		for !rested(a, b) {
			r.flows()
		}
		_, before := r.last()
		if n := r.takeOver.Load(); before > 3 || n > 3 {
			t.Errorf("%d registrations and %d take-overs, at most 3 wanted", before, n)
		}
		for range 20 { // for as long as this takes nothing changes any more
			r.flows()
		}
		if _, after := r.last(); after != before {
			t.Errorf("%d registrations at rest", after-before)
		}
		t.Logf("together %t: %d registrations, %d take-overs", together, before, r.takeOver.Load())
	}
}

// rested says whether one of two writes, and the other has given way to it.
func rested(a, b *flow.Manager) bool {
	streaming, fenced := 0, 0
	for _, m := range []*flow.Manager{a, b} {
		ps := m.Status().Pairs
		switch {
		case len(ps) == 0:
		case is(flow.Streaming, "")(ps[0]):
			streaming++
		case is(flow.Fenced, "taken_over: node eu-")(ps[0]):
			fenced++
		}
	}
	return streaming == 1 && fenced == 1
}

// Somebody took the shard and died before it registered: its holder comes back by itself.
func TestFencedByWhoNeverRegistered(t *testing.T) {
	t.Parallel()
	for _, over := range []int64{flow.None, flow.Any} {
		r := newRing(t)
		m := named(t, "eu-1")
		r.apply(m, over)
		r.flows()
		r.steal()
		r.flows()
		await(r.ctx, t, m, "back", is(flow.Streaming, ""))
		if last, n := r.last(); last.Node != "eu-1" || n != 2 {
			t.Errorf("over %d: %d registrations, the last by %s; 2 by eu-1 wanted", over, n, last.Node)
		}
	}
}

// Somebody took the shard and registered: its holder waits, until it is told that it goes past that.
func TestOpensAnewWhenOverMovesOn(t *testing.T) {
	t.Parallel()
	r := newRing(t)
	m := named(t, "eu-1")
	r.apply(m, flow.None)
	r.flows()
	first, _ := r.last()
	r.apply(m, first.Seq) // its own: nothing changes
	r.flows()
	if last, n := r.last(); n != 1 || last.ID != first.ID {
		t.Fatalf("%d registrations: a healthy shard was opened anew", n)
	}
	other := r.register("eu-2", r.steal())
	produce(r.ctx, t, r.src, "orders", 1, r.sent, r.sent+100)
	r.sent += 100
	await(r.ctx, t, m, "stood down", is(flow.Fenced, "taken_over: node eu-2"))
	taken := r.takeOver.Load()
	tick := time.After(2 * time.Second)
	for waiting := true; waiting; {
		select {
		case <-tick:
			waiting = false
		case <-time.After(50 * time.Millisecond):
			r.apply(m, first.Seq) // the same, again and again
		}
	}
	if n := r.takeOver.Load(); n != taken {
		t.Fatalf("%d take-overs while another holds it", n-taken)
	}
	r.apply(m, other)
	r.flows()
	if last, n := r.last(); last.Node != "eu-1" || n != 3 {
		t.Errorf("%d registrations, the last by %s; 3 wanted", n, last.Node)
	}
}

// A shard that is idle meets no fence. It finds in the registry that it was taken, and opens anew when it is told to.
func TestAnIdleShardStandsDown(t *testing.T) {
	t.Parallel()
	r := newRing(t)
	m := named(t, "eu-1")
	r.apply(m, flow.None)
	r.flows()
	other := r.register("eu-2", kafka.ProducerID{ID: 1})
	await(r.ctx, t, m, "stood down", is(flow.Fenced, "taken_over: node eu-2"))
	r.apply(m, other)
	r.flows()
}

// The same, where it is told before it looks.
func TestAnIdleShardOpensAnew(t *testing.T) {
	t.Parallel()
	r := newRing(t)
	r.top.Intervals.Discovery = time.Minute
	m := named(t, "eu-1")
	r.apply(m, flow.None)
	r.flows()
	other := r.register("eu-2", kafka.ProducerID{ID: 1})
	r.apply(m, other)
	for last, _ := r.last(); last.Seq != other+1; last, _ = r.last() {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-r.ctx.Done():
			t.Fatalf("the last registration is %+v", last)
		}
	}
	r.flows()
}

func (r *ring) register(node string, id kafka.ProducerID) int64 {
	r.Helper()
	seq, err := checkpoint.Register(r.ctx, r.destination(), id, checkpoint.Writer{Origin: "us", Shard: r.shard.Number, Node: node, Held: 1})
	if err != nil {
		r.Fatal(err)
	}
	return seq
}

// Another process of the same name took the shard: it is left alone for a good while.
func TestATwinIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRing(t)
	m := named(t, "eu-1")
	r.apply(m, flow.None)
	r.flows()
	r.apply(m, r.register("eu-1", r.steal()))
	taken := r.takeOver.Load()
	await(r.ctx, t, m, "stood down", is(flow.Fenced, "another process that runs as node eu-1"))
	began := time.Now()
	r.flows()
	if time.Since(began) < 5*time.Second || r.takeOver.Load() != taken+1 {
		t.Errorf("taken back after %v, %d times", time.Since(began), r.takeOver.Load()-taken)
	}
}

// Whoever meets the loss first: where reading the registry failed for another cause before, that is who would make meshd's topics.
func TestLostWritersStopTheLinkFromTheFirstStep(t *testing.T) {
	t.Parallel()
	r := newRing(t)
	m := named(t, "eu-1")
	r.apply(m, flow.None)
	r.flows()
	asked := make(chan struct{}, 1)
	r.eu.ControlKey(int16(kmsg.ListOffsets), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		r.eu.KeepControl()
		req := kreq.(*kmsg.ListOffsetsRequest)
		if req.Topics[0].Topic != checkpoint.WritersTopic {
			return nil, nil, false
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		return nil, errors.New("cut"), true
	})
	select {
	case <-asked:
	case <-r.ctx.Done():
		t.Fatal("the registry is never read")
	}
	if _, err := r.destination().Admin.DeleteTopics(r.ctx, checkpoint.WritersTopic); err != nil {
		t.Fatal(err)
	}
	await(r.ctx, t, m, "the loss", is(flow.Failed, "registry_lost"))
}

// A registry of writers that is gone stops what writes there, and nothing begins another one.
func TestLostWritersStopTheLink(t *testing.T) {
	t.Parallel()
	r := newRing(t)
	m := named(t, "eu-1")
	r.apply(m, flow.None)
	r.flows()
	c := r.destination()
	if _, err := c.Admin.DeleteTopics(r.ctx, checkpoint.WritersTopic); err != nil {
		t.Fatal(err)
	}
	await(r.ctx, t, m, "the loss", is(flow.Failed, "registry_lost"))
	m.Close()
	m = named(t, "eu-1")
	r.apply(m, flow.None)
	lost := func(p flow.PairStatus) bool {
		return p.Reason != nil && p.Reason.Code == kafka.RegistryLost && p.Reason.Hint != ""
	}
	await(r.ctx, t, m, "the loss, by another process", lost)
	if at, err := c.Locate(r.ctx, checkpoint.WritersTopic); err != nil || len(at[checkpoint.WritersTopic]) > 0 {
		t.Errorf("it was made anew: %v %v", at, err)
	}
	m.Close()
	if err := checkpoint.Append(r.ctx, c, &kgo.Record{Topic: checkpoint.TopicsTopic, Key: []byte("!writers"), Value: nil}); err != nil {
		t.Fatal(err)
	}
	m = named(t, "eu-1") // as the hint says
	r.apply(m, flow.None)
	r.flows()
}
