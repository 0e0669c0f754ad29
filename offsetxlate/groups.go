package offsetxlate

import "github.com/meshd/meshd/topology"

// Translator answers for one partition at one cluster. *Map is one.
type Translator interface {
	ToDest(Source) Answer[Dest]
	ToSource(Dest) Answer[Source]
	Start() Point
}

// AtOrigin is the Translator of a partition at its origin: every offset is its own.
type AtOrigin struct{}

// ToDest returns x.
func (AtOrigin) ToDest(x Source) Answer[Dest] {
	return Answer[Dest]{Offset: Dest(x), Exact: true, How: HowRun}
}

// ToSource returns y.
func (AtOrigin) ToSource(y Dest) Answer[Source] {
	return Answer[Source]{Offset: Source(y), Exact: true, How: HowRun}
}

// Start is the beginning of the log.
func (AtOrigin) Start() Point { return Point{} }

// GroupState is a group's state in Kafka's words; "" where ListGroups does not show the group.
type GroupState string

// members says whether anyone may be consuming as a member. What is not known to be without members has them.
func (s GroupState) members() bool { return s != "" && s != "Empty" && s != "Dead" }

// Uncommitted says where a partition without a commit is placed, of a topic on which the group commits.
type Uncommitted string

// The values of groups.uncommitted.
const (
	UncommittedStart Uncommitted = "start"
	UncommittedLeave Uncommitted = "leave"
)

// GroupView is what was seen of one group, by the node that decides for the cluster Here.
//
// It has to be read in this order: commits, maps, the ends of the logs, custody. A commit of meshd's own that is seen without its
// record looks like one of a consumer, and a commit or a map that is newer than the log's end lies behind it.
type GroupView struct {
	Group       string
	Here        topology.Alias
	Uncommitted Uncommitted
	Sites       []Site // every cluster that carries a topic of the group, Here among them
	Partitions  []PartitionView
}

// Site is the group at one cluster.
type Site struct {
	Cluster  topology.Alias
	Unread   bool // it could not be read: unknown, not without a commit; the rest is void, and so are its logs
	State    GroupState
	Type     string  // group type: classic, consumer, share, streams
	Protocol string  // protocol type: consumer, connect
	Custody  Custody // the record that is kept there; zero if there is none
}

// PartitionView is one origin partition, at every cluster that carries it.
type PartitionView struct {
	Partition
	Logs []LogView
}

// LogView is a partition at one cluster, in the coordinates of that cluster.
type LogView struct {
	Cluster    topology.Alias
	Topic      string // its name there
	Start, End Dest   // of the log
	Commit     *Commit
	Map        Translator // AtOrigin at the origin; nil where there is no map
}

// Reason is why a group is not placed on a partition. The values are shown to people.
type Reason string

// Reasons for leaving a partition as it is.
const (
	ReasonSame       Reason = "same already"
	ReasonRewind     Reason = "would rewind"
	ReasonMembers    Reason = "group has members at the destination"
	ReasonByHand     Reason = "commit set by hand below meshd's place"
	ReasonSeparate   Reason = "separate: commits of its own on both sides"
	ReasonTwoSites   Reason = "separate: members at two clusters at once"
	ReasonNotCovered Reason = "not covered yet"
	ReasonPastEnd    Reason = "past the end"
	ReasonNoMap      Reason = "no map"
	ReasonBelowStart Reason = "below the log's start"
	ReasonGone       Reason = "commit is gone, and no consumer committed since"
	ReasonNoCommit   Reason = "no commit"
	ReasonUnread     Reason = "a cluster could not be read"
	ReasonType       Reason = "groups of this type are not moved"
)

// Placement is what to do about one partition at Here. With ReasonSame and ReasonNotCovered, Offset and Metadata are those of the
// commit that stands there, so that it can be committed anew before it expires; with other reasons they are the place that was
// derived, if there is one.
type Placement struct {
	Partition Partition
	At        TopicPartition // at Here
	Reason    Reason         // "": commit Offset and Metadata
	Cluster   topology.Alias // that the reason speaks of
	Offset    Dest
	Metadata  string // of the commit that it was derived from
	Exact     bool
	How       How
	Reread    int64 // consumed records behind it, at most
}

// Place says that the place is to be committed.
func (p Placement) Place() bool { return p.Reason == "" }

// Decision is what to do about one group at Here.
type Decision struct {
	Placements []Placement // one for each partition of the view, in its order
	Custody    Custody     // the record for Here, to be written in the transaction of the commits
	Write      bool        // there is something to write: places, or that the group is separate
}
