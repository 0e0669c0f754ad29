package topology

import "time"

// Topics says which topics a link carries. An expression matches a topic's whole name; exclude wins over include.
type Topics struct {
	Include []Pattern
	Exclude []Pattern
	Rules   []TopicRule // the first that matches decides
}

// TopicRule holds the settings of the topics that match, already merged with the link's.
type TopicRule struct {
	Match    Pattern
	Settings LinkSettings
}

// Groups says which consumer groups a link moves.
type Groups struct {
	Include     []Pattern
	Exclude     []Pattern
	Uncommitted string // partitions without a commit, of a topic on which the group commits: start | leave
}

// Intervals is how often a node does what it does again and again.
type Intervals struct {
	Discovery    time.Duration // new topics and partitions are looked for
	Groups       time.Duration // groups are read and moved
	GroupRefresh time.Duration // every commit of a group is made anew, changed or not
	Progress     time.Duration // progress is written to the destination
	Heartbeat    time.Duration // heartbeats of nodes and links
	Configs      time.Duration // topic configs are compared
}

// Limits bounds what a node uses.
type Limits struct {
	Memory int64 // bytes of records in flight, over all flows of the node
}

// OffsetMap bounds the maps that translate offsets.
type OffsetMap struct {
	MaxBytesPerPartition int64
}

// Metrics says how fine the metrics are.
type Metrics struct {
	PerPartition bool // lag per partition as well as per topic
}

// Switchover will hold what a switchover does at a site. Nothing of it is supported yet.
type Switchover struct{}
