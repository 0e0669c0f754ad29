package integration

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/meshd/meshd/internal/kafkatest"
)

// A node is killed again and again while records flow: none is lost, none comes twice, none out of order.
func TestKilledNode(t *testing.T) {
	parallel(t)
	c, m := chaosMesh(t)
	data := t.TempDir()
	n := m.startIn(t, "eu-1", data)
	l, arrived := underLoad(t, c)
	var stalls []time.Duration
	arrived.awaitMore(t, 1_000)
	for range pick(4, 6) {
		arrived.longestStall()
		n.Kill()
		n = m.startIn(t, "eu-1", data)
		arrived.awaitMore(t, 2_000)
		stalls = append(stalls, arrived.longestStall())
	}
	acked := l.stop(t)
	c.verify(t, acked)
	t.Logf("%d records compared equal after %d times kill -9; without arrivals for %s", acked, len(stalls), stalls)
}

// The same over a log that is nearly all gaps: a marker after every few records, and a third of the transactions aborted.
func TestKilledNodeOverGaps(t *testing.T) {
	parallel(t)
	c, m := chaosMesh(t)
	l := startTransactions(t, c.from, c.topic, kafkatest.Workload{Partitions: 8})
	await(t, "a backlog", func() (string, bool) { return strconv.FormatInt(l.acked.Load(), 10), l.acked.Load() >= 2_000 })
	data := t.TempDir()
	arrived := startWatch(t, c.to, c.remote())
	const kills = 6
	n := m.startIn(t, "eu-1", data)
	for range kills {
		arrived.awaitMore(t, 200)
		n.Kill()
		n = m.startIn(t, "eu-1", data)
	}
	acked := l.stop(t)
	c.verify(t, acked)
	t.Logf("%d records compared equal after %d times kill -9", acked, kills)
}

// A node is stopped, another process takes its place, and then the first wakes up and goes on where it stood.
func TestZombie(t *testing.T) {
	parallel(t)
	c, m := chaosMesh(t)
	l, arrived := underLoad(t, c)
	zombie := m.start(t, "eu-1")
	for range 2 {
		arrived.awaitMore(t, 1_000)
		zombie.signal(t, syscall.SIGSTOP)
		m.write(t) // the stopped one keeps its ports and its data directory
		heir := m.start(t, "eu-1")
		arrived.awaitMore(t, 1_000)
		zombie.signal(t, syscall.SIGCONT)
		zombie.awaitSaid(t, "reason=taken_over")
		arrived.awaitMore(t, 1_000)
		zombie.Kill()
		zombie = heir
	}
	acked := l.stop(t)
	c.verify(t, acked)
	t.Logf("%d records compared equal after 2 zombies", acked)
}

// chaosMesh is one topic of 8 partitions on its way from us to eu.
func chaosMesh(t *testing.T) (copyOf, *mesh) {
	t.Helper()
	sites := shared(t, "us", "eu")
	c := copyOf{sites[0], sites[1], kafkatest.UniqueTopic(t, "orders")}
	c.from.CreateTopic(t, c.topic, 8)
	return c, newMesh(t, oneWay("us", "eu", c.topic), sites...)
}

// underLoad begins to produce to the topic without end, and to count in its copy.
func underLoad(t *testing.T, c copyOf) (*load, *watch) {
	t.Helper()
	l := startLoad(t, c.from, c.topic, kafkatest.Workload{Partitions: 8}, 2_000)
	return l, startWatch(t, c.to, c.remote())
}
