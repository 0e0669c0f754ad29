package groups

import (
	"fmt"
	"strconv"
)

// Partition is a partition of a topic, by name.
type Partition struct {
	Topic  string
	Number int32
}

func (p Partition) String() string { return fmt.Sprintf("%s/%d", p.Topic, p.Number) }

// Commit is what a group has committed for a partition.
type Commit struct {
	Offset      int64  // the next record to read; -1: nothing is committed
	LeaderEpoch int32  // -1: none
	Metadata    string // the application's own
}

// NoCommit stands for a partition for which a group has committed nothing.
var NoCommit = Commit{Offset: -1, LeaderEpoch: -1}

func (c Commit) String() string {
	if c.Offset < 0 {
		return "none"
	}
	if c.LeaderEpoch < 0 && c.Metadata == "" {
		return strconv.FormatInt(c.Offset, 10)
	}
	return fmt.Sprintf("%d (leader epoch %d, metadata %q)", c.Offset, c.LeaderEpoch, c.Metadata)
}

// The states of a group in which it has no member, in Kafka's words. Every other state, also one that is not known here, counts
// as active.
const (
	Empty = "Empty"
	Dead  = "Dead" // the coordinator does not know the group
)

// Group is a group as a broker lists it.
type Group struct {
	Name         string
	Type         string // classic, consumer, share or streams; "" below Kafka 3.8
	ProtocolType string // consumer, connect, share ...; "" for one that nobody ever joined
	State        string // Empty, Stable ...; "" below Kafka 2.6
	Coordinator  int32  // the broker that listed it
}

// Active says whether the group has members, as far as the listing can tell.
func (g Group) Active() bool { return g.State != "" && !idle(g.State) }

func idle(state string) bool { return state == Empty || state == Dead }
