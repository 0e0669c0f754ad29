package sim

import (
	"fmt"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/offsetxlate"
)

// writer is a node's writer of one origin's shard at a destination, with all that the node believes.
type writer struct {
	o, d, shard int
	stage       stage
	dead        bool // its process is
	zombie      bool // another one is meant to write, and this one does not know
	id          kafka.ProducerID
	old         []int64 // ids that were registered for the shard when it was claimed
	generation  int     // of the store
	version     int     // of the topology
	parts       []*part
	views       map[int]*view // by source
	choices     map[string]loop.Choice
	chose       map[string]time.Time
	taken       *loop.Frontiers // with what is under way
	acked       *loop.Frontiers
	stop        string
}

// stage is how far a writer is with taking over.
type stage int

const (
	claiming stage = iota
	registering
	fencing
	resuming
	open
)

// part is a partition of a writer.
type part struct {
	topicPlan
	number    int
	key       string
	part      loop.Part
	topic     int // id at the destination
	marker    int64
	before    map[int64]producer // what the leader knew before the marker
	stop      string
	wait      string
	gap       bool // stopped at a gap
	src       reader
	out       []item // judged, not sent yet
	prog      checkpoint.Progress
	frontier  []byte          // of the place in prog
	mark      loop.Coordinate // of the incarnation that progress speaks of, the first coordinate
	sent      int64           // records of this epoch that were sent
	written   int64           // and acknowledged
	flight    int             // requests
	dest      int64           // behind the last acknowledged record, or the marker
	destEpoch int32
	leader    int32 // leader epoch at the destination, as the writer knows it
	places    *places
	xlate     *offsetxlate.Map
	from      int32 // incarnation that xlate speaks of
}

// item is a record on its way.
type item struct {
	record record
	at     loop.Coordinate
}

// reader is where a part reads.
type reader struct {
	cluster     int // -1: nowhere
	attached    bool
	incarnation int32
	topic       int // id there
	at          int64
	last        int32 // leader epoch of the last batch
	most        int64 // how far it came
	got         []fetched
}

type fetched struct {
	*batch
	tick loop.Tick
}

func (s *sim) newWriter(o, d, shard int) *writer {
	w := &writer{o: o, d: d, shard: shard, version: len(s.versions) - 1}
	for _, t := range s.topics {
		for i := range t.parts {
			if shardOf(t.name, i) == shard && t.carries(o) && t.carries(d) {
				w.parts = append(w.parts, &part{topicPlan: t, number: i, key: key(t.name, i)})
			}
		}
	}
	w.forget()
	return w
}

// forget drops all but what it is.
func (w *writer) forget() {
	w.stage, w.views, w.choices, w.chose, w.stop = claiming, map[int]*view{}, map[string]loop.Choice{}, map[string]time.Time{}, ""
	w.taken, w.acked = loop.NewFrontiers(loop.Origin(w.d)), loop.NewFrontiers(loop.Origin(w.d))
	for _, p := range w.parts {
		p.part = w.taken.Part(p.name, int32(p.number))
		w.acked.Part(p.name, int32(p.number))
		p.src, p.out, p.flight, p.stop, p.wait = reader{cluster: -1}, nil, 0, "", ""
	}
}

func (w *writer) String() string {
	z := ""
	if w.zombie {
		z = ", a zombie"
	}
	return fmt.Sprintf("%s (%s's shard %d, %s%s)", name(w.d), name(w.o), w.shard, w.id, z)
}

func (w *writer) txn() string {
	return fmt.Sprintf("meshd.sim.%s->%s.%d", name(w.o), name(w.d), w.shard)
}

// reopen begins anew, from what is in Kafka. Who was replaced stands down.
func (s *sim) reopen(w *writer, why string) {
	s.say("%s: begins anew: %s", w, why)
	s.tally.redone++
	if w.zombie {
		w.dead = true
		return
	}
	w.forget()
}

// replace has another node take a writer over; the one before dies, or lives on.
func (s *sim) replace(i int, dies bool) {
	was := s.writers[i]
	s.writers[i] = s.newWriter(was.o, was.d, was.shard)
	was.zombie, was.dead = true, dies
	if !dies {
		s.zombies = append(s.zombies, was)
	}
	s.say("%s: is replaced, dead %v", was, dies)
}

// work has a writer do something for one of its parts. It says whether anything changed.
func (s *sim) work(w *writer, p *part) bool {
	if w.dead || s.clusters[w.d].down || w.stop != "" {
		return false
	}
	if w.stage != open {
		return s.takeOver(w)
	}
	s.hear(w)
	if p.stop != "" || s.leaderChanged(w, p) {
		return false
	}
	s.choose(w, p.name)
	return s.read(w, p)
}
