package validate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// SharedTopic is a topic that has one name at all clusters of a mesh, each of which takes writes: identity naming.
type SharedTopic struct {
	Name     string
	Clusters map[string]*kgo.Client // by alias; no two of them of one cluster
	// Home tells at which cluster a record was produced, from what its producer wrote; "" where that does not say. What an application
	// made out of another record was produced where the application wrote it. No two records of one cluster may be equal.
	Home func(key, value []byte) (alias string)
	// Unstamped says that meshd adds no header: provenance batch.
	Unstamped bool
	// Promised is the first offset of an origin's partition whose record is to be at another cluster. Those before must not be there.
	// Nil: all are to be there.
	Promised func(origin, at string, partition int32) int64
}

// Shared compares what every cluster holds of a topic with what was produced at each, to the ends that the logs have now: nothing may
// be produced meanwhile. The error says that a log could not be read; what was found is in the report.
//
//	us  u1 e1 u2 a1 e2      u1 u2, once each          by Home, and committed
//	     │                      │
//	eu  e1 u1 a1 e2 u2      u1 u2 with the header     by Home, all that there is
//
// An origin partition's records are compared as Copy compares a topic; those of other origins may come in between as they like.
func Shared(ctx context.Context, topic SharedTopic) (SharedReport, error) {
	report := SharedReport{Topic: topic.Name, Produced: map[string]int64{}}
	var logs []*sharedLog
	for _, alias := range slices.Sorted(maps.Keys(topic.Clusters)) {
		l, err := openLog(ctx, &topic, alias)
		if err != nil {
			return report, fmt.Errorf("cluster %s: %w", alias, err)
		}
		logs = append(logs, l)
	}
	for _, l := range logs {
		r, err := l.atHome(ctx)
		if err != nil {
			return report, fmt.Errorf("cluster %s: %w", l.alias, err)
		}
		report.Clusters, report.Produced[l.alias] = append(report.Clusters, l.alias), r.SourceRecords
		report.add(r)
	}
	for _, from := range logs {
		for _, to := range logs {
			if from == to {
				continue
			}
			r, err := from.at(ctx, to)
			if err != nil {
				return report, fmt.Errorf("records of %s at %s: %w", from.alias, to.alias, err)
			}
			report.add(r)
		}
	}
	return report, nil
}

// UntilShared is to Shared what Until is to Copy.
func UntilShared(ctx context.Context, topic SharedTopic) (SharedReport, error) {
	return until(ctx, func() (SharedReport, error) { return Shared(ctx, topic) })
}
