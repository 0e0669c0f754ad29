package demo

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshd/meshd/topology"
)

// evidence is all that a verdict is made of.
type evidence struct {
	naming    Naming
	clusters  []topology.Alias
	logs      map[topology.Alias]logs // what lies in each cluster
	acked     []id                    // what writers were told is written
	read      []id                    // what the group has read, in turn; each once for each time that it was started
	twice     int                     // what it read once more in the same place
	announced int                     // how many records the group was said to read again, at most
}

// Verdict counts what became of every record.
type Verdict struct {
	Origins []Origin
	Group   Reading
	Wrong   []string // a few examples of what is wrong
}

// Origin is what became of the records that were written at one cluster.
type Origin struct {
	Cluster    topology.Alias
	Written    int
	Arrived    map[topology.Alias]int // at each other cluster
	Lost       int                    // written or acknowledged, and not where it should be
	Duplicated int
	Looped     int // a record where it does not belong
	OutOfOrder int
}

// Reading is what the group has read.
type Reading struct {
	Read, Skipped     int
	Reread, Announced int // after a move
	Twice             int // in one place: what is read before a commit is read again when a consumer has to join again. It is none of meshd's.
}

// OK says whether nothing is wrong.
func (v Verdict) OK() bool {
	for _, o := range v.Origins {
		if o.Lost+o.Duplicated+o.Looped+o.OutOfOrder > 0 || o.Written == 0 {
			return false
		}
	}
	return v.Group.Skipped == 0 && v.Group.Reread <= v.Group.Announced && v.Group.Read > 0
}

// complete says whether everything has arrived and was read. What else is wrong does not pass with time.
func (v Verdict) complete() bool {
	for _, o := range v.Origins {
		if o.Lost > 0 {
			return false
		}
	}
	return v.Group.Skipped == 0
}

// judge counts.
func judge(e evidence) Verdict {
	j := &jury{evidence: e, written: map[id]int{}}
	for _, a := range e.clusters {
		j.verdict.Origins = append(j.verdict.Origins, Origin{Cluster: a, Arrived: map[topology.Alias]int{}})
	}
	for i := range j.verdict.Origins {
		j.home(&j.verdict.Origins[i])
	}
	for _, at := range e.clusters {
		j.strays(at)
		for i := range j.verdict.Origins {
			if o := &j.verdict.Origins[i]; o.Cluster != at {
				j.copies(o, at)
			}
		}
	}
	j.group()
	return j.verdict
}

type jury struct {
	evidence
	verdict Verdict
	written map[id]int // each record that lies where it was written -> its rank there
}

const maxExamples = 5

func (j *jury) wrong(format string, args ...any) {
	if len(j.verdict.Wrong) < maxExamples {
		j.verdict.Wrong = append(j.verdict.Wrong, fmt.Sprintf(format, args...))
	}
}

// home takes the log where records were written as the truth, but for those that a writer was told of and that are not in it.
func (j *jury) home(o *Origin) {
	for p := range int32(partitions) {
		for rank, e := range j.logs[o.Cluster][place{topic, p}] {
			if e.id.origin != o.Cluster || e.id.partition != p {
				continue // a stray
			}
			if _, twice := j.written[e.id]; twice {
				j.again(o, e.id)
				continue
			}
			j.written[e.id] = rank
			o.Written++
		}
	}
	for _, i := range j.acked {
		if _, there := j.written[i]; i.origin == o.Cluster && !there {
			o.Lost++
			j.wrong("%s was acknowledged by %s and is not there", i, o.Cluster)
		}
	}
}

// again counts a record that is where it was written for the second time. In a topic where copies lie too, it has come home.
func (j *jury) again(o *Origin, i id) {
	if j.naming == Identity {
		o.Looped++
		j.wrong("%s came back to %s of %s", i, topic, o.Cluster)
		return
	}
	o.Duplicated++
	j.wrong("%s is twice in %s of %s", i, topic, o.Cluster)
}

// copies compares what came from an origin to a cluster with what was written.
func (j *jury) copies(o *Origin, at topology.Alias) {
	name := j.naming.named(o.Cluster, at)
	seen := map[id]bool{}
	for p := range int32(partitions) {
		last := -1
		for _, e := range j.logs[at][place{name, p}] {
			rank, written := j.written[e.id]
			switch {
			case e.id.origin != o.Cluster || e.id.partition != p:
				continue // a stray
			case seen[e.id]:
				o.Duplicated++
				j.wrong("%s is twice in %s of %s", e.id, name, at)
				continue
			case !written:
				o.Looped++
				j.wrong("%s is in %s of %s, and was never written", e.id, name, at)
				continue
			case rank < last:
				o.OutOfOrder++
				j.wrong("%s is too late in %s of %s", e.id, name, at)
			}
			seen[e.id] = true
			last = max(last, rank)
		}
	}
	o.Arrived[at] = len(seen)
	for i := range j.written {
		if i.origin == o.Cluster && !seen[i] {
			o.Lost++
			j.wrong("%s is not in %s of %s", i, name, at)
		}
	}
}

// strays are records in topics or partitions where they do not belong: a copy that went on, or came back.
func (j *jury) strays(at topology.Alias) {
	for where, entries := range j.logs[at] {
		for _, e := range entries {
			if where.topic == j.naming.named(e.id.origin, at) && where.partition == e.id.partition {
				continue
			}
			j.wrong("%s is in %s of %s, where it does not belong", e.id, where.topic, at)
			for i := range j.verdict.Origins {
				if j.verdict.Origins[i].Cluster == e.id.origin {
					j.verdict.Origins[i].Looped++
				}
			}
		}
	}
}

func (j *jury) group() {
	read := map[id]bool{}
	for _, i := range j.read {
		read[i] = true
	}
	g := Reading{Read: len(read), Reread: len(j.read) - len(read), Announced: j.announced, Twice: j.twice}
	for _, i := range slices.SortedFunc(maps.Keys(j.written), byID) {
		if !read[i] {
			g.Skipped++
			j.wrong("%s was never read by group %s", i, group)
		}
	}
	if g.Reread > g.Announced {
		j.wrong("group %s read %d records again, %d more than announced", group, g.Reread, g.Reread-g.Announced)
	}
	j.verdict.Group = g
}

func byID(a, b id) int {
	switch {
	case a.origin != b.origin && a.origin < b.origin, a.origin == b.origin && a.partition < b.partition:
		return -1
	case a.origin != b.origin, a.partition != b.partition:
		return 1
	}
	return int(a.seq - b.seq)
}
