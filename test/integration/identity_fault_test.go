package integration

import (
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/wire"
)

// behind is a cluster of the test's own, the line to which the test may break. Other clusters know it by a name that no other one has.
func behind(t testing.TB, alias string) (*site, *wire.Network) {
	t.Helper()
	network := wire.New()
	t.Cleanup(network.Close)
	return own(t, alias, kafkatest.Behind(network)), network
}

// Three clusters in a full mesh take writes of one topic. A node is killed, and comes back; the line from one cluster to a node of
// another is cut, and what is written there comes by way of the third; the node is killed again meanwhile, and goes on that way.
func TestIdentityMeshOfThree(t *testing.T) {
	parallel(t)
	far, line := behind(t, "far")
	sites := append([]*site{far}, shared(t, "eu", "ap")...)
	c := newCommon(t, 8, sites...)
	m := newMesh(t, identity("far, eu, ap", c.topic), sites...)
	loads, tallies := c.load(t, kafkatest.Workload{}, 300), c.tally(t)
	m.startAll(t)
	c.awaitAll(t, tallies, 500)

	m.latest["eu-1"].Kill()
	tallies["far"].awaitMore(t, 500, "ap")
	tallies["ap"].awaitMore(t, 500, "far", "eu") // those who write elsewhere read eu's cluster all the same
	m.again(t, "eu-1")
	c.awaitAll(t, tallies, 500)

	line.Strike("meshd/eu-1", wire.Cut)
	tallies["eu"].awaitMore(t, 1_000, "far", "ap")
	m.latest["eu-1"].Kill()
	m.again(t, "eu-1")
	tallies["eu"].awaitMore(t, 1_000, "far", "ap")
	line.Strike("meshd/eu-1", wire.None)
	c.awaitAll(t, tallies, 500)
	c.verify(t, loads.stop(t))
}

// Four clusters as a hub and its spokes: what one spoke writes comes to the others over the hub, in both of which a node is killed; a
// spoke is cut off from the hub, and heard again.
func TestIdentityHubAndSpokes(t *testing.T) {
	parallel(t)
	hub, line := behind(t, "hub")
	sites := append([]*site{hub}, shared(t, "us", "eu", "ap")...)
	c := newCommon(t, 4, sites...)
	m := newMesh(t, around("hub", "us, eu, ap", c.topic)+"\n    naming: identity", sites...)
	loads, tallies := c.load(t, kafkatest.Workload{Partitions: 4}, 200), c.tally(t)
	m.startAll(t)
	c.awaitAll(t, tallies, 300)

	m.latest["hub-1"].Kill()
	m.again(t, "hub-1")
	c.awaitAll(t, tallies, 300)

	line.Strike("meshd/eu-1", wire.Lost)
	tallies["us"].awaitMore(t, 300, "eu", "ap", "hub") // the line from eu to the hub's node is another one
	line.Strike("meshd/eu-1", wire.None)
	c.awaitAll(t, tallies, 300)

	m.latest["ap-1"].Kill()
	tallies["us"].awaitMore(t, 300, "eu", "ap", "hub")
	m.again(t, "ap-1")
	c.awaitAll(t, tallies, 300)
	c.verify(t, loads.stop(t))
}

// Two clusters share a topic whose batches are copied as they are, under load, and both nodes are killed.
func TestIdentityPairOfBatches(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	c := newCommon(t, 8, sites...)
	c.unstamped = true
	m := newMesh(t, identity("us, eu", c.topic)+"\n    provenance: batch", sites...)
	loads, tallies := c.load(t, kafkatest.Workload{}, 500), c.tally(t)
	m.startAll(t)
	for _, victim := range []string{"us-1", "eu-1", "us-1"} {
		c.awaitAll(t, tallies, 500)
		m.latest[victim].Kill()
		m.again(t, victim)
	}
	c.awaitAll(t, tallies, 500)
	c.verify(t, loads.stop(t))
}

// Prefix naming over a hub: what one spoke writes is at the other one as spoke.topic, however it came there.
func TestPrefixOverHub(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu", "ap")
	n := pick(5_000, 30_000)
	topic := kafkatest.UniqueTopic(t, "orders")
	m := newMesh(t, around("us", "eu, ap", topic), sites...)
	produceEverywhere(t, m, topic, n)
	verifyEverywhere(t, m, topic, n)
	t.Logf("%d records from each of 3 clusters compared equal at the 2 others, of 2 of them over the third", n)
}

// The same while the hub's node is killed, and that of a spoke.
func TestPrefixOverHubKilled(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu", "ap")
	topic := kafkatest.UniqueTopic(t, "orders")
	c := copyOf{sites[1], sites[2], topic}
	c.from.CreateTopic(t, topic, 8)
	m := newMesh(t, around("us", "eu, ap", topic), sites...)
	m.startAll(t)
	l, arrived := underLoad(t, c)
	for _, victim := range []string{"us-1", "ap-1", "us-1"} {
		arrived.awaitMore(t, 2_000)
		m.latest[victim].Kill()
		m.again(t, victim)
	}
	arrived.awaitMore(t, 2_000)
	acked := l.stop(t)
	c.verify(t, acked)
	copyOf{sites[1], sites[0], topic}.verify(t, acked)
	t.Logf("%d records compared equal over a hub", acked)
}
