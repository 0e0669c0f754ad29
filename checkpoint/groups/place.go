package groups

import (
	"errors"
	"fmt"
)

// Place is where a group shall stand in one partition.
type Place struct {
	Partition
	Before   Commit // as it was read; NoCommit where there was none
	Offset   int64  // the next record to read; not below Before
	Metadata string
}

// Placement is where a group shall stand: in all of its partitions or in none. One without places only writes its record, whatever
// the group is doing.
type Placement struct {
	Group  string
	Places []Place
	Record *Record // goes to the Placer's topic in the same transaction; nil: none
}

// Record is a record of one of meshd's own topics.
type Record struct{ Key, Value []byte }

// Outcome is what became of a placement.
type Outcome int

// The outcomes. Where it is not Placed, Result.Err says why.
const (
	Placed  Outcome = iota + 1 // decided; consumers and readers see it some milliseconds later
	Differs                    // a commit is not the one that was expected: read again
	Active                     // the group has a member, or a transaction of its own that is open
	Denied                     // a right is missing
	Failed                     // anything else
	Unsure                     // the answer to the last request was lost: placed or not
)

var outcomeNames = [...]string{"", "placed", "differs", "active", "denied", "failed", "unsure"}

func (o Outcome) String() string { return outcomeNames[o] }

// Result is what became of a group's placement.
type Result struct {
	Group   string
	Outcome Outcome
	Err     error                // nil if placed
	Hint    string               // what a person can do about Err; "" where time alone can help
	Found   map[Partition]Commit // if the outcome is Differs: what stands there instead
	State   string               // if the outcome is Active: the state that Kafka tells; "" where it told none
}

// ErrPlacement says that a placement makes no sense, whatever the cluster says.
var ErrPlacement = errors.New("placement refused")

// job is a placement on its way; its outcome is zero until it is decided.
type job struct {
	Placement
	Result
}

func newJobs(placements []Placement) []*job {
	jobs, seen := make([]*job, 0, len(placements)), make(map[string]bool, len(placements))
	for _, p := range placements {
		j := &job{Placement: p, Result: Result{Group: p.Group}}
		if err := p.check(seen[p.Group]); err != nil {
			j.fail(err)
		}
		seen[p.Group] = true
		jobs = append(jobs, j)
	}
	return jobs
}

func (p Placement) check(twice bool) error {
	if twice || len(p.Places) == 0 && p.Record == nil {
		return fmt.Errorf("group %s with %d places, named before: %t: %w", p.Group, len(p.Places), twice, ErrPlacement)
	}
	seen := make(map[Partition]bool, len(p.Places))
	for _, at := range p.Places {
		if at.Offset < 0 || at.Offset < at.Before.Offset || seen[at.Partition] {
			return fmt.Errorf("%s from %s to %d, named before: %t: %w", at.Partition, at.Before, at.Offset, seen[at.Partition], ErrPlacement)
		}
		seen[at.Partition] = true
	}
	return nil
}

func undecided(jobs []*job) (rest []*job) {
	for _, j := range jobs {
		if j.Outcome == 0 {
			rest = append(rest, j)
		}
	}
	return rest
}

// moving leaves out the jobs that only write a record.
func moving(jobs []*job) (out []*job) {
	for _, j := range jobs {
		if len(j.Places) > 0 {
			out = append(out, j)
		}
	}
	return out
}

func results(jobs []*job) []Result {
	out := make([]Result, 0, len(jobs))
	for _, j := range jobs {
		out = append(out, j.Result)
	}
	return out
}

func names(jobs []*job) []string {
	out := make([]string, 0, len(jobs))
	for _, j := range jobs {
		out = append(out, j.Result.Group)
	}
	return out
}

// The limits of one transaction. A batch of records must fit into a topic's max.message.bytes, 1 MiB if nobody changed it.
const (
	maxGroups      = 50
	maxRecordBytes = 512 << 10
)

// batches cuts jobs into what one transaction takes.
func batches(jobs []*job) (out [][]*job) {
	for len(jobs) > 0 {
		n, bytes := 0, 0
		for n < min(len(jobs), maxGroups) {
			bytes += jobs[n].Record.size()
			if n > 0 && bytes > maxRecordBytes {
				break
			}
			n++
		}
		out = append(out, jobs[:n])
		jobs = jobs[n:]
	}
	return out
}

func (r *Record) size() int {
	if r == nil {
		return 0
	}
	return len(r.Key) + len(r.Value)
}

// byTopic arranges places as requests want them; nil for none.
func byTopic(places []Place) map[string][]Place {
	if places == nil {
		return nil
	}
	out := make(map[string][]Place)
	for _, p := range places {
		out[p.Topic] = append(out[p.Topic], p)
	}
	return out
}
