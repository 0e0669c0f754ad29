package rebuild

import (
	"fmt"
	"strings"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/topology"
)

// Report is what was found, and what was written or, in a dry run, would be.
type Report struct {
	Cluster   topology.Alias `json:"cluster"`
	ID        string         `json:"id"` // Kafka's
	DryRun    bool           `json:"dry_run"`
	Birth     string         `json:"birth"`      // of meshd.topics; "" where it would get one
	NewTopics bool           `json:"new_topics"` // meshd.topics had no birth
	NewWriter bool           `json:"new_writers"`
	Topics    []Topic        `json:"topics"`
	Writers   []Writer       `json:"writers"`
	Known     Known          `json:"known"` // what the registries have already
	Readers   []Reader       `json:"readers"`
	Unknown   []Unknown      `json:"unknown"`
}

// Known counts what a registry knew before.
type Known struct {
	Topics  int `json:"topics"`
	Writers int `json:"writers"`
}

// Topic is an entry of meshd.topics that was missing.
type Topic struct {
	Key    string                `json:"key"`
	Entry  checkpoint.TopicEntry `json:"entry"`
	Gone   bool                  `json:"gone,omitempty"` // the copy is not there any more, or is another one
	copied int                   // partitions
}

// Writer is a registration that was missing.
type Writer struct {
	ID     int64          `json:"id"`
	Epoch  int16          `json:"epoch"`
	Origin topology.Alias `json:"origin"`
	Shard  int            `json:"shard"`
	Proof  string         `json:"proof"` // ledger or copies
}

// Reader is a cluster whose nodes read from here, and what it was told of the registry's birth.
type Reader struct {
	Cluster topology.Alias `json:"cluster"`
	Told    bool           `json:"told"` // it remembered another birth
	Why     string         `json:"why,omitempty"`
}

// Unknown is what can't be rebuilt.
type Unknown struct {
	What  string   `json:"what"`
	Count int      `json:"count"`
	Which []string `json:"which,omitempty"` // the first few
	Then  string   `json:"then"`            // what follows from it, and what to do
}

const whichMost = 5

func (r *Report) unknown(what, then string, which ...string) {
	if len(which) > 0 {
		r.Unknown = append(r.Unknown, Unknown{what, len(which), which[:min(whichMost, len(which))], then})
	}
}

// Changed says whether there is anything to be written at the cluster.
func (r *Report) Changed() bool {
	return r.NewTopics || r.NewWriter || len(r.Topics) > 0 || len(r.Writers) > 0
}

// RunningError refuses: nodes write there.
type RunningError struct {
	Cluster topology.Alias
	Nodes   []string
}

func (e *RunningError) Error() string {
	return fmt.Sprintf("nodes run that write to cluster %s: %s; stop all nodes of its datacenter first, and start them afterwards", e.Cluster, strings.Join(e.Nodes, ", "))
}
