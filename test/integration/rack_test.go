package integration

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
)

// A node reads from the replica in its rack, and from the leader when that is gone.
func TestReadsFromItsRack(t *testing.T) {
	kafkatest.RealOnly(t, "kfake reads from leaders alone")
	us := &site{alias: "near", more: "rack: rack-2", Cluster: kafkatest.Start(t, "near", kafkatest.WithBrokers(2),
		brisk("replica.selector.class", "org.apache.kafka.common.replica.RackAwareReplicaSelector"))}
	c := copyOf{us, shared(t, "eu")[0], kafkatest.UniqueTopic(t, "near")}
	us.CreateTopic(t, c.topic, 4)
	m := newMesh(t, oneWay("near", "eu", c.topic), c.from, c.to)
	m.start(t, "eu-1")
	n := len(us.Produce(t, c.topic, kafkatest.Workload{Records: 1_000, Partitions: 4}))
	c.verify(t, n)
	m.awaitReadFrom(t, c.topic, 4, 2)
	us.Kill9(t, 2)
	m.awaitReadFrom(t, c.topic, 4, 1)
	n += len(us.Produce(t, c.topic, kafkatest.Workload{Seed: 1, Records: 1_000, Partitions: 4}))
	c.verify(t, n)
}

// awaitReadFrom waits until all partitions of a topic are read from a broker.
func (m *mesh) awaitReadFrom(t *testing.T, topic string, partitions, broker int) {
	t.Helper()
	await(t, fmt.Sprintf("%s to be read from broker %d", topic, broker), func() (string, bool) {
		from := map[int]int{} // partitions by broker
		for _, f := range m.flows(t, "eu-1") {
			for _, raw := range f.Parts {
				p := struct {
					Broker int `json:"source_broker"`
				}{-1}
				if err := json.Unmarshal(raw, &p); err != nil {
					t.Fatal(err)
				}
				from[p.Broker]++
			}
		}
		return fmt.Sprintf("partitions by broker: %v", from), from[broker] == partitions
	})
}
