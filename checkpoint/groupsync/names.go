package groupsync

import (
	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/topology"
)

// coordinate names a partition by where its records were first produced.
type coordinate struct {
	Origin    topology.Alias
	Topic     string
	Partition int32
}

// names translates between the topics of one cluster and their coordinates, by the registry of that cluster.
type names struct {
	at     topology.Alias
	known  map[string]checkpoint.TopicEntry
	remote map[coordinate]string // of partition 0: origin and topic -> its name here
	shared map[string]bool       // topics that have one name everywhere, and records of others here
}

func newNames(at topology.Alias, entries map[string]checkpoint.TopicEntry) names {
	n := names{at: at, known: entries, remote: make(map[coordinate]string, len(entries)), shared: map[string]bool{}}
	for name, e := range entries {
		switch e.Kind {
		case checkpoint.Local:
		case checkpoint.Shared:
			n.shared[e.Topic] = true
		default:
			n.remote[coordinate{Origin: e.Origin, Topic: e.Topic}] = name
		}
	}
	return n
}

// coordinateOf is where the records of a topic here came from. Those of a topic that has one name everywhere come from many clusters: it
// counts as this cluster's own, and its groups stay where they are.
func (n names) coordinateOf(topic string, partition int32) coordinate {
	if e, ok := n.known[topic]; ok && e.Kind != checkpoint.Local && e.Kind != checkpoint.Shared {
		return coordinate{e.Origin, e.Topic, partition}
	}
	return coordinate{n.at, topic, partition}
}

// nameOf is what the topic of c is called here; false if it is not here.
func (n names) nameOf(c coordinate) (string, bool) {
	if c.Origin == n.at {
		return c.Topic, true
	}
	name, ok := n.remote[coordinate{Origin: c.Origin, Topic: c.Topic}]
	return name, ok
}
