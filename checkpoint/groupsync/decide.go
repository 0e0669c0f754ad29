package groupsync

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/checkpoint/groups"
	"github.com/meshd/meshd/offsetxlate"
	"github.com/meshd/meshd/topology"
)

// subject is everything that was read of one group.
type subject struct {
	group string
	home  topology.Alias
	at    map[topology.Alias]*sight
	start func(groups.Partition) (int64, bool) // log starts at the home
	where translator
	fill  bool // partitions without a commit are placed at the log's start
}

// sight is a group as one cluster shows it. A cluster that could not be read is not in the subject at all.
type sight struct {
	active  bool
	state   string
	commits map[groups.Partition]groups.Commit
	custody *Custody // nil: none
}

// translator finds coordinates and translates offsets; it is made of names and maps.
type translator interface {
	coordinateOf(at topology.Alias, p groups.Partition) coordinate
	nameOf(at topology.Alias, c coordinate) (string, bool)
	// up is what has been consumed at the origin if everything below offset was at a cluster; false if no map knows.
	up(at topology.Alias, c coordinate, offset int64) (answer, bool)
	// down is where at the home a group goes on that has consumed everything below offset at the origin.
	down(c coordinate, offset int64) (answer, bool)
	partitions(c coordinate) int // of the topic at the home
}

// answer is a translated offset: exact, or the largest safe one with at most Reread consumed records behind it.
type answer struct {
	offset int64
	exact  bool
	reread int64
	how    offsetxlate.How
}

// Why a group or a partition of it is not placed.
const (
	whyActive    = "it has members here"
	whySame      = "it stands there already"
	whyAhead     = "it is further here"
	whyByHand    = "its commit here is below the place that meshd gave it: set by hand, so it is not touched"
	whyGone      = "its commit here was deleted or expired; it comes back with the next commit elsewhere"
	whyNoMap     = "its topic is not copied here yet"
	whyUnread    = "a cluster could not be read, so nobody can say that the group has no commits there"
	whySeparate  = "it has commits of its own in more than one cluster: it is left alone until a person joins them"
	whyOtherType = "groups of this type are not moved"
)

// PartStatus is one partition of a group at the home.
type PartStatus struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"` // where the group stands here, -1: nowhere
	Target    int64  `json:"target"` // where it would go on, -1: unknown
	Exact     bool   `json:"exact"`
	Reread    int64  `json:"reread"` // consumed records that it would see again, at most
	Why       string `json:"why,omitempty"`
}

// decision is what is to be done about a group.
type decision struct {
	places  []groups.Place
	custody Custody
	changed bool // the custody is to be written even without places
	parts   []PartStatus
	why     string // the whole group is left alone
}

// decide is pure: it says where the group shall stand at its home, and why not.
func (s *subject) decide(complete bool) decision {
	chain, why := s.chain(complete)
	d := decision{custody: s.custody().clone(), why: why}
	if why == whySeparate && d.custody.Separate == "" {
		d.custody.Separate, d.changed = why, true
	}
	if why != "" {
		return d
	}
	if s.at[s.home].active {
		d.why = whyActive
	}
	vector := s.vector(chain, d.custody)
	for _, c := range sortedCoordinates(vector) {
		s.decidePart(&d, c, vector[c])
	}
	if s.fill && d.why == "" && len(chain) > 0 && !slices.Equal(chain, []topology.Alias{s.home}) {
		s.fillUncommitted(&d, vector)
	}
	if len(d.places) > 0 {
		d.custody.join(append(chain, s.home)...)
	}
	return d
}

func (s *subject) custody() Custody {
	if c := s.at[s.home].custody; c != nil {
		return *c
	}
	return Custody{}
}

// chain are the clusters whose commits count. It begins with the only one that has commits, when all could be read; a commit
// outside of it makes the group separate.
func (s *subject) chain(complete bool) (chain []topology.Alias, why string) {
	known := map[topology.Alias]bool{}
	for _, v := range s.at {
		if v.custody == nil {
			continue
		}
		if v.custody.Separate != "" {
			return nil, whySeparate
		}
		for _, a := range v.custody.Chain {
			known[a] = true
		}
	}
	committed := s.committed()
	if len(known) == 0 {
		switch {
		case !complete:
			return nil, whyUnread
		case len(committed) > 1:
			return nil, whySeparate
		}
		return committed, ""
	}
	for _, a := range committed {
		if !known[a] {
			return nil, whySeparate
		}
	}
	return slices.Sorted(maps.Keys(known)), ""
}

// committed are the clusters where the group has commits.
func (s *subject) committed() (as []topology.Alias) {
	for _, a := range slices.Sorted(maps.Keys(s.at)) {
		for _, c := range s.at[a].commits {
			if c.Offset >= 0 {
				as = append(as, a)
				break
			}
		}
	}
	return as
}

// frontier is what a group has consumed of one partition, in offsets of its origin.
type frontier struct {
	offset   int64
	exact    bool
	reread   int64
	metadata string
	from     topology.Alias
}

// vector is the maximum over the chain: every commit there is true, and so is what an earlier round saw.
func (s *subject) vector(chain []topology.Alias, mine Custody) map[coordinate]frontier {
	out := map[coordinate]frontier{}
	for key, offset := range mine.Vector {
		if c, err := parseCoordinate(key); err == nil {
			out[c] = frontier{offset: offset, exact: true, from: s.home}
		}
	}
	for _, a := range chain {
		if v := s.at[a]; v != nil {
			for p, commit := range v.commits {
				s.count(out, a, p, commit, v.custody)
			}
		}
	}
	return out
}

func (s *subject) count(out map[coordinate]frontier, a topology.Alias, p groups.Partition, commit groups.Commit, custody *Custody) {
	if commit.Offset < 0 || custody != nil && commit.Offset < custody.placed(p).Offset {
		return // set by hand below the place that meshd gave it: no progress
	}
	c := s.where.coordinateOf(a, p)
	up, ok := s.where.up(a, c, commit.Offset)
	if !ok {
		return
	}
	if now, known := out[c]; !known || up.offset > now.offset || up.offset == now.offset && now.metadata == "" {
		out[c] = frontier{offset: up.offset, exact: up.exact, reread: up.reread, metadata: commit.Metadata, from: a}
	}
}

// placed is what meshd committed last; offset -1 if nothing.
func (c *Custody) placed(p groups.Partition) Placed {
	if x, ok := c.Places[checkpoint.PartitionKey(p.Topic, p.Number)]; ok {
		return x
	}
	return Placed{Offset: -1}
}

func (s *subject) decidePart(d *decision, c coordinate, f frontier) {
	name, ok := s.where.nameOf(s.home, c)
	if !ok {
		return // this topic is not here, and the link may not carry it
	}
	p := groups.Partition{Topic: name, Number: c.Partition}
	here, committed := s.at[s.home].commits[p]
	if !committed {
		here = groups.NoCommit
	}
	st := PartStatus{Topic: name, Partition: c.Partition, Offset: here.Offset, Target: -1}
	to, ok := s.where.down(c, f.offset)
	switch {
	case !ok:
		st.Why = whyNoMap
	default:
		st.Target, st.Exact, st.Reread = to.offset, to.exact && f.exact, to.reread+f.reread
		st.Why = s.whyNot(d, c, p, here, to.offset, f.offset)
	}
	if st.Why == "" && d.why == "" {
		d.place(groups.Place{Partition: p, Before: here, Offset: to.offset, Metadata: f.metadata}, c, f.offset)
		st.Offset = to.offset
	}
	d.parts = append(d.parts, st)
}

// whyNot says why a partition is not placed; "" if it is.
func (s *subject) whyNot(d *decision, c coordinate, p groups.Partition, here groups.Commit, target, frontier int64) string {
	mine := d.custody.placed(p)
	switch {
	case here.Offset < 0 && mine.Offset >= 0 && frontier <= d.custody.Vector[c.String()]:
		return whyGone
	case here.Offset >= 0 && here.Offset < mine.Offset:
		return whyByHand
	case here.Offset == target:
		return whySame
	case here.Offset > target:
		return whyAhead
	}
	return ""
}

func (d *decision) place(p groups.Place, c coordinate, frontier int64) {
	d.places = append(d.places, p)
	d.custody.Places[checkpoint.PartitionKey(p.Topic, p.Number)] = Placed{p.Offset, p.Metadata}
	d.custody.Vector[c.String()] = max(frontier, d.custody.Vector[c.String()])
}

// fillUncommitted places the partitions without a commit, of topics on which the group commits, at the start of the log: left to
// auto.offset.reset, a consumer could skip what it has never seen.
func (s *subject) fillUncommitted(d *decision, vector map[coordinate]frontier) {
	topics := map[coordinate]bool{}
	for c := range vector {
		topics[coordinate{Origin: c.Origin, Topic: c.Topic}] = true
	}
	for t := range topics {
		name, ok := s.where.nameOf(s.home, t)
		for n := range int32(s.where.partitions(t)) {
			c := coordinate{t.Origin, t.Topic, n}
			p := groups.Partition{Topic: name, Number: n}
			if _, has := vector[c]; !ok || has || s.hasCommit(p) || d.custody.placed(p).Offset >= 0 {
				continue
			}
			if start, ok := s.start(p); ok {
				d.places = append(d.places, groups.Place{Partition: p, Before: groups.NoCommit, Offset: start})
				d.custody.Places[checkpoint.PartitionKey(p.Topic, p.Number)] = Placed{Offset: start}
				d.parts = append(d.parts, PartStatus{Topic: name, Partition: n, Offset: start, Target: start, Exact: true})
			}
		}
	}
}

func (s *subject) hasCommit(p groups.Partition) bool {
	c, ok := s.at[s.home].commits[p]
	return ok && c.Offset >= 0
}

func (c coordinate) String() string {
	return string(c.Origin) + ":" + checkpoint.PartitionKey(c.Topic, c.Partition)
}

func parseCoordinate(key string) (coordinate, error) {
	origin, rest, ok := strings.Cut(key, ":")
	topic, n, err := checkpoint.SplitKey(rest)
	if !ok || err != nil {
		return coordinate{}, fmt.Errorf("key %q names no coordinate", key)
	}
	return coordinate{topology.Alias(origin), topic, n}, nil
}

func sortedCoordinates(m map[coordinate]frontier) []coordinate {
	return slices.SortedFunc(maps.Keys(m), func(a, b coordinate) int { return strings.Compare(a.String(), b.String()) })
}
