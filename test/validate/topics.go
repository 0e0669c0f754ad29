package validate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest/logread"
)

// TopicProblem is a topic whose name says that it was replicated where it must not have been.
type TopicProblem struct {
	Cluster, Topic, Why string
}

func (p TopicProblem) String() string { return fmt.Sprintf("%s on %s: %s", p.Topic, p.Cluster, p.Why) }

// Topics checks the names of the topics in a mesh with prefix naming, given a client for each alias: none came back to the cluster
// of its origin, and none was replicated from a cluster where it is a copy.
func Topics(ctx context.Context, clusters map[string]*kgo.Client, separator string) ([]TopicProblem, error) {
	names := make(map[string][]string)
	for alias, client := range clusters {
		topics, err := logread.Topics(ctx, client)
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %w", alias, err)
		}
		names[alias] = topics
	}
	return loops(names, separator), nil
}

func loops(names map[string][]string, separator string) []TopicProblem {
	var problems []TopicProblem
	for cluster, topics := range names {
		for _, topic := range topics {
			if why := loop(cluster, way(names, topic, separator)); why != "" {
				problems = append(problems, TopicProblem{Cluster: cluster, Topic: topic, Why: why})
			}
		}
	}
	slices.SortFunc(problems, func(a, b TopicProblem) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Topic, b.Topic))
	})
	return problems
}

// way returns the aliases that a name begins with.
func way(names map[string][]string, topic, separator string) []string {
	var aliases []string
	for {
		alias, rest, found := strings.Cut(topic, separator)
		if _, known := names[alias]; !found || !known || rest == "" {
			return aliases
		}
		aliases = append(aliases, alias)
		topic = rest
	}
}

func loop(cluster string, way []string) string {
	switch {
	case len(way) > 1:
		return "it is a copy of a copy, by way of " + strings.Join(way, " from ")
	case len(way) == 1 && way[0] == cluster:
		return "it is a copy of the cluster's own topic"
	default:
		return ""
	}
}
