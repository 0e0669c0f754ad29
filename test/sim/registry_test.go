package sim

import (
	"slices"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/loop"
)

// registry is a cluster's registry of writers.
type registry struct {
	birth   int
	entries []entry
	cuts    []int // each time that it went back: to how many entries
	partial bool  // it was begun anew, and not all that wrote before is in it
}

type entry struct {
	id     int64
	origin loop.Origin
	shard  int
}

// noted is what is remembered of a registry: which it was, and how far it went.
type noted struct{ birth, end, cuts int }

func (r *registry) note() noted { return noted{r.birth, len(r.entries), len(r.cuts)} }

// since says whether it is still the one that was noted, and did not go back behind that.
func (r *registry) since(n noted) bool {
	if n.birth != r.birth {
		return false
	}
	for _, cut := range r.cuts[n.cuts:] {
		if cut < n.end {
			return false
		}
	}
	return true
}

func (r *registry) has(id int64) bool {
	return slices.ContainsFunc(r.entries, func(e entry) bool { return e.id == id })
}

// cut is an unclean election that takes entries away.
func (r *registry) cut(to int) {
	r.entries = slices.Clone(r.entries[:to])
	r.cuts = append(r.cuts, to)
}

// store is the topics in which the writers of one origin keep progress and maps, at one cluster.
type store struct {
	generation int // another one was made, or it went back
	log        []put
	now        map[string]saved
	fences     map[fenceKey]int16
}

type fenceKey struct {
	shard int
	id    int64
}

type put struct {
	key  string
	what saved
}

// saved is a value of it: progress with the frontier, or a map.
type saved struct {
	generation         int
	progress, frontier []byte
	places             *places
}

func newStore() *store { return &store{now: map[string]saved{}, fences: map[fenceKey]int16{}} }

// save is refused to who was fenced, and to who speaks of a store that is not there any more.
func (s *store) save(by kafka.ProducerID, shard int, key string, what saved) error {
	if what.generation != s.generation {
		return errTopic
	}
	if s.fences[fenceKey{shard, by.ID}] > by.Epoch {
		return errFenced
	}
	s.log = append(s.log, put{key, what})
	s.now[key] = what
	return nil
}

func (s *store) fence(by kafka.ProducerID, shard int) {
	k := fenceKey{shard, by.ID}
	s.fences[k] = max(s.fences[k], by.Epoch)
}

// get returns what was saved, if the store is still the one in which it was.
func (s *store) get(key string) (saved, bool) {
	v, ok := s.now[key]
	return v, ok && v.generation == s.generation
}

// lose takes away all that was saved behind the first n.
func (s *store) lose(n int) {
	s.log, s.now = slices.Clone(s.log[:n]), map[string]saved{}
	for _, p := range s.log {
		s.now[p.key] = p.what
	}
	s.generation++
	if n == 0 {
		s.fences = map[fenceKey]int16{}
	}
}
