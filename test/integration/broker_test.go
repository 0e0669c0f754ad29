package integration

import (
	"testing"
	"time"

	"github.com/meshd/meshd/internal/kafkatest"
)

// Each side's brokers restart, and are killed, under load.
func TestBrokerRestarts(t *testing.T) {
	parallel(t)
	us, eu := own(t, "us", kafkatest.Restartable()), own(t, "eu", kafkatest.Restartable())
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "orders")}
	us.CreateTopic(t, c.topic, 8)
	newMesh(t, oneWay("us", "eu", c.topic), us, eu).start(t, "eu-1")
	l, arrived := underLoad(t, c)
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"restart of the destination", func() { eu.Restart(t) }},
		{"restart of the source", func() { us.Restart(t) }},
		{"kill -9 of the destination", func() { eu.Kill9(t); eu.Restart(t) }},
		{"kill -9 of the source", func() { us.Kill9(t); us.Restart(t) }},
	} {
		arrived.awaitMore(t, 1_000)
		arrived.longestStall()
		step.do()
		up := time.Now()
		arrived.awaitMore(t, 1)
		after := time.Since(up).Round(10 * time.Millisecond)
		arrived.awaitMore(t, 2_000)
		t.Logf("%s: without arrivals for %s, of which %s with all brokers up", step.what, arrived.longestStall(), after)
	}
	acked := l.stop(t)
	c.verify(t, acked)
	t.Logf("%d records compared equal", acked)
}

// The same with two nodes, each of which sees the brokers go in its own time: neither takes from the other what it can't write either.
func TestBrokerRestartsUnderTwoNodes(t *testing.T) {
	kafkatest.RealOnly(t, "one node covers what kfake can show")
	us, eu := own(t, "us"), own(t, "eu")
	eu.nodes = 2
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "orders")}
	us.CreateTopic(t, c.topic, 8)
	m := newMesh(t, oneWay("us", "eu", c.topic), us, eu)
	m.startAll(t)
	l := startLoad(t, us, c.topic, heavy(), 1_000)
	arrived := startWatch(t, eu, c.remote())
	m.awaitBalance(t, eu, c.topic)
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"restart of the destination", func() { eu.Restart(t) }},
		{"kill -9 of the destination", func() { eu.Kill9(t); eu.Restart(t) }},
		{"restart of the source", func() { us.Restart(t) }},
	} {
		arrived.awaitEach(t, 1)
		arrived.longestStill()
		step.do()
		up := time.Now()
		arrived.awaitEach(t, 200)
		t.Logf("%s: a partition stood still for %s; all went on %s after the broker was up", step.what, arrived.longestStill(), time.Since(up).Round(10*time.Millisecond))
	}
	m.awaitShared(t, eu)
	acked := l.stop(t)
	c.verify(t, acked)
	t.Logf("%d records compared equal", acked)
}

// One of three brokers at the destination is killed: the others take over, and the copy goes on while it is down.
func TestBrokerOfThreeKilled(t *testing.T) {
	kafkatest.RealOnly(t, "kfake stops as a whole")
	us, eu := shared(t, "us")[0], own(t, "eu", kafkatest.WithBrokers(3))
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "orders")}
	us.CreateTopic(t, c.topic, 8)
	newMesh(t, oneWay("us", "eu", c.topic)+"\n    replication_factor: 3", us, eu).start(t, "eu-1")
	l, arrived := underLoad(t, c)
	arrived.awaitMore(t, 1_000)
	wantReplicas(t, eu, c.remote(), 3)
	for _, broker := range []int{2, 3} { // broker 1 is the only controller
		arrived.longestStall()
		eu.Kill9(t, broker)
		arrived.awaitMore(t, 5_000)
		t.Logf("kill -9 of broker %d: without arrivals for %s", broker, arrived.longestStall())
		eu.Restart(t, broker)
		awaitInSync(t, eu, c.remote(), 3)
	}
	acked := l.stop(t)
	c.verify(t, acked)
	t.Logf("%d records compared equal", acked)
}
