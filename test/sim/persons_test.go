package sim

import (
	"cmp"
	"slices"

	"github.com/meshd/meshd/loop"
)

func show(g loop.Graph) (out []string) {
	for _, e := range g {
		out = append(out, e.String())
	}
	return out
}

// persons look at what has stopped, and decide.
func (s *sim) persons() {
	for _, c := range s.clusters {
		if c.down {
			continue
		}
		for _, t := range s.topics {
			if top := c.topics[t.name]; top != nil && !isAccepted(c, top) {
				s.accept(c, t.name)
			}
		}
		if own, ok := c.known[c.number]; ok && !c.registry.since(own) {
			s.rebuildRegistry(c)
		}
		for o, st := range c.stores {
			c.stored[o] = st.generation
		}
	}
	s.retry()
}

func isAccepted(c *cluster, t *topic) bool {
	_, ok := c.accepted[t.id]
	return ok
}

// accept is on_recreate: new_incarnation.
func (s *sim) accept(c *cluster, name string) {
	c.accepted[c.topics[name].id] = int32(len(c.past[name]))
	s.say("%s: %s is accepted as incarnation %d", c.alias, name, len(c.past[name]))
}

// rebuildRegistry stops all nodes of a datacenter and makes its registry anew, of what the coordinator knows, or empty. Whoever reads it is told.
// Where it may lack one that wrote, what lies in the logs is nobody's to read any more: an old writer's batches look like an application's, and
// who takes another origin from here would leave them out in silence.
func (s *sim) rebuildRegistry(c *cluster) {
	known := s.chance(2)
	r := registry{birth: c.registry.birth + 1, partial: c.registry.partial || !known || c.expired}
	for i, w := range s.writers {
		if w.d != c.number {
			continue
		}
		if id, ok := c.txns[w.txn()]; ok && known {
			r.entries = append(r.entries, entry{id.ID, loop.Origin(w.o), w.shard})
		}
		s.replace(i, true)
	}
	for _, w := range s.zombies {
		w.dead = w.dead || w.d == c.number
	}
	s.sent = slices.DeleteFunc(s.sent, func(q *request) bool { return q.w.d == c.number })
	c.registry = r
	delete(c.known, c.number)
	for _, x := range s.clusters {
		delete(x.known, c.number)
	}
	for _, w := range s.writers {
		delete(w.views, c.number)
		for _, p := range w.parts {
			if p.src.cluster == c.number {
				p.src = reader{cluster: c.number}
			}
		}
	}
	for _, t := range c.topics {
		for _, p := range t.parts {
			if r.partial && !s.without(nothingCut) {
				c.serves[p] = p.end
			}
		}
	}
	s.say("%s: the registry is made anew, of what the coordinator knows: %v", c.alias, known)
}

// retry lets what stopped begin anew.
func (s *sim) retry() {
	clear(s.stopped)
	for _, w := range s.writers {
		if w.stop != "" || slices.ContainsFunc(w.parts, func(p *part) bool { return p.stop != "" }) {
			w.forget()
		}
	}
}

func (s *sim) stopKeys() (out []stopKey) {
	for k := range s.stopped {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b stopKey) int {
		return cmp.Or(cmp.Compare(a.d, b.d), cmp.Compare(a.from, b.from), cmp.Compare(a.o, b.o), cmp.Compare(a.key, b.key))
	})
	return out
}
