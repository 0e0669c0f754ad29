package validate

import (
	"errors"
	"fmt"
	"strings"
)

// SharedReport is what a shared topic comes to.
type SharedReport struct {
	Topic    string
	Clusters []string         // aliases
	Produced map[string]int64 // committed records, by the cluster where they were produced
	Counts   Counts
	Reports  []Report // what each cluster holds of its own, and then of each other's; topics are named as alias/topic
}

// OK says whether every cluster has everything, as it was produced, once and in order.
func (r SharedReport) OK() bool { return r.Counts.OK() }

func (r SharedReport) onlyLate() bool { return r.Counts.onlyLate() }

// Err returns nil for a topic without fault, and else an error that says all of it.
func (r SharedReport) Err() error {
	if r.OK() {
		return nil
	}
	return errors.New(r.String())
}

// String is a line of totals, and what is wrong between two clusters as Report has it.
func (r SharedReport) String() string {
	own := make([]string, 0, len(r.Clusters))
	for _, alias := range r.Clusters {
		own = append(own, fmt.Sprintf("%d records of %s", r.Produced[alias], alias))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s: %s", r.Topic, strings.Join(own, ", "), r.Counts)
	for _, report := range r.Reports {
		if !report.OK() {
			text.WriteString("\n  " + strings.ReplaceAll(report.String(), "\n", "\n  "))
		}
	}
	return text.String()
}

func (r *SharedReport) add(report Report) {
	r.Counts.add(report.Counts)
	r.Reports = append(r.Reports, report)
}
