package loop

// Act is what is to be done with a batch or a record.
type Act uint8

// Acts. Those of a whole batch hold for each of its records.
const (
	Deliver  Act = iota // copy it as it is
	Stamp               // copy it with a fresh header in place of any that it has
	Suppress            // leave it out
	Records             // a batch only: its records must be looked at one by one
	Wait                // for what Why says; then judge again
	Stop                // the partition, with Why as the reason
)

// Why is the reason of a verdict; those that suppress, wait or stop are counted by it.
type Why uint8

// Reasons.
const (
	Produced      Why = iota // produced at the source
	Carried                  // came from another origin, by a registered writer
	CopiedHeader             // local, with a header that an application copied
	Own                      // produced here: it would come home
	Seen                     // at or below the frontier
	OtherSource              // of an origin that is taken from another source
	Marker                   // a control batch
	ByWriter                 // prefix: a writer's batch in a topic that is local; it may have been identity once
	ByApplication            // prefix: an application's batch in a remote topic; it stays there
	Barrier                  // the registry must be read behind the batch
	Uncovered                // the source's map does not reach the coordinate yet
	AtGap                    // the source has a gap before it that is not settled here; the frontier may be passed to where it begins
	GapBarrier               // the source's gaps must be read behind the batch
	LostRegistry             // the registry that proves where records came from is lost
	TwoOrigins               // a producer id is registered for two origins
	OldFormat                // a message format below v2 has no producer ids
	NoHeader                 // a writer's record without the header
	BadHeader                // a writer's record with a header that can't be read
	FutureHeader             // a writer's record with a header of a newer version
	WrongHeader              // a writer's record with a header of another origin, topic or partition
	ThirdCluster             // provenance batch, and a writer for a third cluster's records
	lastWhy
)

var whyNames = [lastWhy]string{
	"local", "carried", "copied_header", "own", "seen", "other_source", "marker", "by_writer", "by_application", "wait_barrier", "wait_map", "gap", "wait_gaps", "registry_lost",
	"two_origins", "old_format", "no_header", "bad_header", "future_header", "wrong_header", "third_cluster",
}

func (w Why) String() string {
	if w >= lastWhy {
		return "unknown"
	}
	return whyNames[w]
}

// Ruling is what is to be done with a batch or a record, and why.
type Ruling struct {
	Act    Act
	Why    Why
	Origin Origin     // where it was first produced; undefined where that is not known
	At     Coordinate // of the record there; of a batch of the source's own or a marker, of its last; AtGap: where the gap begins
}

// Counters count records by reason. The reasons are those of Why.
type Counters [lastWhy]int64

// Count adds the n records that a verdict was about.
func (c *Counters) Count(v Ruling, n int32) {
	if v.Act != Records && v.Act != Wait { // they are judged again
		c[v.Why] += int64(n)
	}
}
