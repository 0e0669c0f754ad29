package trace

import (
	"time"

	"github.com/meshd/meshd/topology"
)

// State is what lies at an offset.
type State string

// States.
const (
	Record   State = "record"
	Marker   State = "marker"    // the end of a transaction
	Aborted  State = "aborted"   // a record of a transaction that was aborted
	NoRecord State = "no_record" // compacted away, or left out by its producer
	Deleted  State = "deleted"   // before the log's start
	Ahead    State = "ahead"     // behind the log's end
)

// Report is the story of a record.
type Report struct {
	Cluster   topology.Alias `json:"cluster"`
	Topic     string         `json:"topic"`
	Partition int32          `json:"partition"`
	Offset    int64          `json:"offset"`
	State     State          `json:"state"`
	LogStart  int64          `json:"log_start"`
	LogEnd    int64          `json:"log_end"`
	At        *time.Time     `json:"at,omitempty"` // its timestamp
	Writer    *Writer        `json:"writer,omitempty"`
	Origin    *Origin        `json:"origin,omitempty"`
	Copies    []Copy         `json:"copies"`
	Rules     []Rule         `json:"rules"`
}

// Writer is who wrote the record's batch here.
type Writer struct {
	ProducerID int64          `json:"producer_id"` // -1: none
	Epoch      int16          `json:"epoch"`
	Registered bool           `json:"registered"` // else it is an application
	Origin     topology.Alias `json:"origin,omitempty"`
	Shard      int            `json:"shard,omitempty"`
	Node       string         `json:"node,omitempty"` // that registered it last
}

// Origin is where the record was first produced.
type Origin struct {
	Cluster     topology.Alias `json:"cluster"` // "" where the topology has none with that id
	ID          string         `json:"id,omitempty"`
	Topic       string         `json:"topic"`
	Partition   int32          `json:"partition"`
	Incarnation int32          `json:"incarnation"`
	LeaderEpoch int32          `json:"leader_epoch"` // -1: unknown
	Offset      int64          `json:"offset"`       // -1: unknown
	By          string         `json:"by"`           // what tells it
}

// Copy is the same record at another cluster.
type Copy struct {
	Cluster topology.Alias `json:"cluster"`
	Topic   string         `json:"topic"`
	State   string         `json:"state"`          // home, here, passed, not_yet, gap, nothing or unknown
	Offset  int64          `json:"offset"`         // there; -1: unknown
	Over    topology.Alias `json:"over,omitempty"` // where that cluster reads the origin's records now
	Text    string         `json:"text"`
}

// Rule is what a neighbour's writer makes of the record when it reads it here.
type Rule struct {
	Link string `json:"link"`
	Act  string `json:"act"` // deliver, stamp, suppress, wait or stop
	Why  string `json:"why"` // as meshd_suppressed_records_total counts it
	Now  string `json:"now"` // the same with what the neighbour has by now
	Text string `json:"text"`
}
