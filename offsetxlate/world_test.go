package offsetxlate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/meshd/meshd/topology"
)

// world is a few clusters with prefix naming, one group, and a dumb copy of everything that happened to them.
type world struct {
	clusters []topology.Alias
	parts    []*worldPart
	sites    map[topology.Alias]*worldSite
	policy   Uncommitted
}

// worldPart is an origin partition. A slot of the source's log holds a record or not.
type worldPart struct {
	id       Partition
	slots    []bool
	start    Dest
	copies   map[topology.Alias]*worldCopy
	consumed map[int64]int // how often, by source offset
}

// worldCopy is a copy: the source offset of each slot, or -1 for a marker or a record of others.
type worldCopy struct {
	slots []int64
	start Dest
	next  int64 // of the source, to copy
	m     *Map
}

type worldSite struct {
	state    GroupState
	group    string
	protocol string
	unread   bool
	commits  map[TopicPartition]Commit
	custody  []byte // as stored
}

func newWorld(clusters ...topology.Alias) *world {
	w := &world{clusters: clusters, sites: map[topology.Alias]*worldSite{}, policy: UncommittedStart}
	for _, c := range clusters {
		w.sites[c] = &worldSite{commits: map[TopicPartition]Commit{}}
	}
	return w
}

func (w *world) addTopic(origin topology.Alias, topic string, partitions int32) {
	for n := range partitions {
		p := &worldPart{
			id: Partition{Origin: origin, Topic: topic, Number: n}, copies: map[topology.Alias]*worldCopy{}, consumed: map[int64]int{},
		}
		for _, c := range w.clusters {
			if c != origin {
				p.copies[c] = &worldCopy{m: New(Point{})}
			}
		}
		w.parts = append(w.parts, p)
	}
}

func (p *worldPart) at(c topology.Alias) TopicPartition {
	if c == p.id.Origin {
		return TopicPartition{Topic: p.id.Topic, Partition: p.id.Number}
	}
	return TopicPartition{Topic: string(p.id.Origin) + "." + p.id.Topic, Partition: p.id.Number}
}

func (p *worldPart) end(c topology.Alias) Dest {
	if c == p.id.Origin {
		return Dest(len(p.slots))
	}
	return Dest(len(p.copies[c].slots))
}

// record is the source offset of what lies at an offset of a cluster, or -1.
func (p *worldPart) record(c topology.Alias, at Dest) int64 {
	if c != p.id.Origin {
		return p.copies[c].slots[at]
	}
	if p.slots[at] {
		return int64(at)
	}
	return -1
}

func (p *worldPart) produce(n int, record bool) {
	p.slots = append(p.slots, slices.Repeat([]bool{record}, n)...)
}

// copyTo copies up to n slots.
func (p *worldPart) copyTo(c topology.Alias, n int) error {
	to := p.copies[c]
	for ; n > 0 && int(to.next) < len(p.slots); n-- {
		if p.slots[to.next] {
			if err := to.m.Append(Source(to.next), Dest(len(to.slots)), 1); err != nil {
				return err
			}
			to.slots = append(to.slots, to.next)
		}
		to.next++
		if err := to.m.AdvanceSource(Source(to.next)); err != nil {
			return err
		}
	}
	return nil
}

// others writes what is not of the origin into a copy; told says whether the map hears of it.
func (p *worldPart) others(c topology.Alias, n int, told bool) error {
	to := p.copies[c]
	to.slots = append(to.slots, slices.Repeat([]int64{-1}, n)...)
	if !told {
		return nil
	}
	return to.m.AdvanceDest(Dest(len(to.slots)))
}

func (w *world) view(here topology.Alias) (GroupView, error) {
	v := GroupView{Group: "g", Here: here, Uncommitted: w.policy}
	for _, c := range w.clusters {
		s := w.sites[c]
		site := Site{Cluster: c, Unread: s.unread, State: s.state, Type: s.group, Protocol: s.protocol}
		if s.custody != nil {
			custody, err := DecodeCustody(s.custody)
			if err != nil {
				return v, err
			}
			site.Custody = custody
		}
		v.Sites = append(v.Sites, site)
	}
	for _, p := range w.parts {
		pv := PartitionView{Partition: p.id}
		for _, c := range w.clusters {
			pv.Logs = append(pv.Logs, w.log(p, c))
		}
		v.Partitions = append(v.Partitions, pv)
	}
	return v, nil
}

func (w *world) log(p *worldPart, c topology.Alias) LogView {
	tp := p.at(c)
	l := LogView{Cluster: c, Topic: tp.Topic, Start: p.start, End: p.end(c), Map: AtOrigin{}}
	if c != p.id.Origin {
		l.Start, l.Map = p.copies[c].start, nil
		if p.copies[c].m != nil {
			l.Map = p.copies[c].m
		}
	}
	if commit, ok := w.sites[c].commits[tp]; ok {
		l.Commit = &commit
	}
	return l
}

// sync decides for one cluster and does what was decided, all of it or nothing.
func (w *world) sync(here topology.Alias) (Decision, error) {
	v, err := w.view(here)
	if err != nil {
		return Decision{}, err
	}
	before := w.sites[here].custody
	d := Decide(v)
	s := w.sites[here]
	for _, p := range d.Placements {
		if p.Place() {
			if s.state.members() || s.commits[p.At].Offset > p.Offset {
				return d, fmt.Errorf("%v: placed at %d over %v, members: %q", p.At, p.Offset, s.commits[p.At], s.state)
			}
			s.commits[p.At] = Commit{Offset: p.Offset, Metadata: p.Metadata}
		}
	}
	if d.Write {
		if s.custody, err = d.Custody.Encode(); err != nil {
			return d, err
		}
	}
	if !d.Write && string(before) != string(s.custody) {
		return d, errors.New("custody written without need")
	}
	return d, nil
}

// consume reads up to n slots of a partition from the group's commit on, and commits. It returns how many records were read again,
// and an error if one was skipped.
func (w *world) consume(p *worldPart, c topology.Alias, n int) (again int64, err error) {
	tp := p.at(c)
	commit := w.sites[c].commits[tp]
	for ; n > 0 && commit.Offset < p.end(c); n-- {
		if r := p.record(c, commit.Offset); r >= 0 {
			if p.consumed[r] > 0 {
				again++
			}
			p.consumed[r]++
			if err := p.skipped(r); err != nil {
				return again, err
			}
		}
		commit.Offset++
	}
	commit.Metadata = fmt.Sprintf("at %s", c)
	w.sites[c].commits[tp] = commit
	return again, nil
}

// skipped finds a record before r that was never consumed. It looks back only as far as a jump can be.
func (p *worldPart) skipped(r int64) error {
	for i := r - 1; i >= 0; i-- {
		if p.slots[i] {
			if p.consumed[i] == 0 {
				return fmt.Errorf("%v: %d is consumed and %d was skipped", p.id, r, i)
			}
			return nil // consumed when all before it were
		}
	}
	return nil
}
