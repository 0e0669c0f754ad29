package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/meshd/meshd/loop"
	"github.com/meshd/meshd/topology"
)

// sim is a run.
type sim struct {
	plan
	seed     uint64
	rng      *rand.Rand // of this step
	origins  *loop.Origins
	clusters []*cluster
	versions []version
	ways     map[wayKey][]loop.Neighbour
	cut      map[topology.Pair]bool
	writers  []*writer // those that the mesh means
	zombies  []*writer
	sent     []*request
	stopped  map[stopKey]string
	happened [kinds]bool
	now      time.Time
	tick     loop.Tick
	made     int // records
	lastID   int // of topics
	moves    int // what changed anything
	taken    rule
	audit    *audit
	counts   loop.Counters
	tally    tally
	trace    []string
}

// rule is a rule that is taken away.
type rule string

// stopKey is a source from which a destination takes no more of an origin's partition.
type stopKey struct {
	d, from, o int
	key        string
}

type wayKey struct {
	version, o, d int
	topic         string
}

// tally is what a run had in it.
type tally struct{ records, delivered, switches, gaps, zombie, stops, opens, redone int }

func newSim(seed uint64, steps int, taken rule) *sim {
	s := &sim{
		plan: newPlan(seed, steps), seed: seed, origins: &loop.Origins{}, cut: map[topology.Pair]bool{}, stopped: map[stopKey]string{}, now: time.Unix(0, 0), taken: taken, ways: map[wayKey][]loop.Neighbour{},
	}
	s.versions = []version{s.graphs}
	for i := range s.plan.clusters {
		s.origins.Number(clusterID(i))
		c := newCluster(i, s.plan.clusters)
		for _, t := range s.topics {
			if !t.carries(i) {
				continue
			}
			s.lastID++
			c.make(t.name, s.lastID, t.parts)
			c.accepted[s.lastID] = 0
		}
		s.clusters = append(s.clusters, c)
	}
	s.eachWriter(func(o, d, shard int) { s.writers = append(s.writers, s.newWriter(o, d, shard)) })
	s.audit = newAudit(s)
	return s
}

// eachWriter goes through all writers that there must be.
func (s *sim) eachWriter(do func(o, d, shard int)) {
	for d := range s.plan.clusters {
		for o := range s.plan.clusters {
			for shard := range shards {
				if o != d {
					do(o, d, shard)
				}
			}
		}
	}
}

func (s *sim) say(format string, args ...any) {
	s.trace = append(s.trace, fmt.Sprintf("%6.1fs  ", s.now.Sub(time.Unix(0, 0)).Seconds())+fmt.Sprintf(format, args...))
}

func (s *sim) moved() bool {
	s.moves++
	return true
}

func (s *sim) without(r rule) bool { return s.taken == r }

// unreachable says whether d can't read at from.
func (s *sim) unreachable(from, d int) bool {
	return s.clusters[from].down || s.cut[topology.Pair{Source: name(from), Destination: name(d)}]
}

func (s *sim) newest() version { return s.versions[len(s.versions)-1] }

func (s *sim) planOf(topic string) topicPlan {
	return s.topics[slices.IndexFunc(s.topics, func(t topicPlan) bool { return t.name == topic })]
}

// writer is the one that is meant to write a partition of an origin at a destination, and its part.
func (s *sim) writer(o, d int, key string) (*writer, *part) {
	for _, w := range s.writers {
		if w.o != o || w.d != d {
			continue
		}
		for _, p := range w.parts {
			if p.key == key {
				return w, p
			}
		}
	}
	return nil, nil
}

// chance says yes once in n times.
func (s *sim) chance(n int) bool { return s.rng.IntN(n) == 0 }
