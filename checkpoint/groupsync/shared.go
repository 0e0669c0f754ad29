package groupsync

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

const sharedHint = "where the group goes on is its own to find: by time, with kafka-consumer-groups.sh --reset-offsets --to-datetime; its consumers must bear records twice"

// notSynced says of a group that meshd does not place it in topics that have one name everywhere.
func notSynced(topics []string) string {
	if len(topics) == 1 {
		return "identity topics are not synced yet: " + topics[0]
	}
	return fmt.Sprintf("identity topics are not synced yet: %s and %d more", topics[0], len(topics)-1)
}

// shared are the topics with one name everywhere on which a group has a commit at another cluster than the home, in their order.
func (r *round) shared(group string) []string {
	topics := map[string]bool{}
	for _, v := range r.views {
		if v == r.home || v.err != nil {
			continue
		}
		for p, c := range v.commits[group].Commits {
			if c.Offset >= 0 && (v.names.shared[p.Topic] || r.home.names.shared[p.Topic]) {
				topics[p.Topic] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(topics))
}

func sharedPoint(topic string, from, to topology.Alias) *kafka.Reason {
	return new(kafka.Because("identity_topic", fmt.Sprintf("topic %s has one name at %s and %s, and offsets of such topics are not translated yet", topic, from, to), sharedHint))
}
