package sim

import (
	"github.com/meshd/meshd/topology"
)

// event lets one thing happen that may.
func (s *sim) event() {
	k := kind(s.rng.IntN(int(kinds)))
	if !s.may[k] {
		return
	}
	c := s.clusters[s.rng.IntN(len(s.clusters))]
	switch k {
	case takeOver:
		s.replace(s.rng.IntN(len(s.writers)), true)
	case zombies:
		s.replace(s.rng.IntN(len(s.writers)), false)
	case topologies:
		s.otherTopology()
	case links:
		p := topology.Pair{Source: c.alias, Destination: name(s.rng.IntN(len(s.clusters)))}
		s.cut[p] = !s.cut[p]
		s.say("link %s cut: %v", p, s.cut[p])
	case outages:
		s.outage(c)
	case loss:
		if !s.happened[loss] && s.chance(4) {
			c.down, c.gone = true, true
			s.say("%s is lost for ever", c.alias)
			s.happened[loss] = true
		}
		return
	case registries, progresses, expiries:
		s.forgetful(k, c)
	case copies: // applications do that by themselves
		return
	default:
		s.strike(k, c)
	}
	s.happened[k] = true
}

// outage is a cluster that goes down, or comes back. It has all that it had.
func (s *sim) outage(c *cluster) {
	if c.gone {
		return
	}
	c.down = !c.down
	s.say("%s down: %v", c.alias, c.down)
}

// otherTopology makes a new version, or brings one to a node.
func (s *sim) otherTopology() {
	if s.chance(3) {
		t := s.topics[s.rng.IntN(2)].name
		s.versions = append(s.versions, s.newest().change(t, len(s.clusters), s.rng))
		s.say("version %d of the topology: %s: %v", len(s.versions)-1, t, show(s.newest()[t]))
		return
	}
	for range 1 + s.rng.IntN(6) {
		w := s.writers[s.rng.IntN(len(s.writers))]
		w.version += s.rng.IntN(len(s.versions) - w.version)
	}
}

// strike is what happens to a partition, or a topic.
func (s *sim) strike(k kind, c *cluster) {
	t := s.topics[s.rng.IntN(len(s.topics))]
	if c.down || !t.carries(c.number) {
		return
	}
	i := s.rng.IntN(t.parts)
	p := c.topics[t.name].parts[i]
	switch k {
	case truncation:
		back := int64(s.rng.IntN(12))
		p.truncate(max(p.start, p.end-back))
		s.say("%s: %s/%d truncated to %d", c.alias, t.name, i, p.end)
	case election:
		p.elect()
	case retention:
		p.retain(p.end - int64(s.rng.IntN(20)))
		s.say("%s: %s/%d begins at %d", c.alias, t.name, i, p.start)
	case recreation:
		s.recreate(c, t)
	default:
	}
}

// recreate makes a topic anew, now and then: with a person who accepts it at once, or later.
func (s *sim) recreate(c *cluster, t topicPlan) {
	if !s.chance(3) {
		return
	}
	s.lastID++
	c.make(t.name, s.lastID, t.parts)
	s.say("%s: %s is made anew", c.alias, t.name)
	if s.chance(2) {
		s.accept(c, t.name)
	}
}

// forgetful is what happens to what meshd keeps.
func (s *sim) forgetful(k kind, c *cluster) {
	if c.down || !s.chance(3) {
		return
	}
	switch k {
	case registries:
		s.loseRegistry(c)
	case progresses:
		o := s.rng.IntN(len(c.stores))
		if st := c.stores[o]; len(st.log) > 0 {
			s.audit.remember(c, o)
			n := 0
			if s.chance(2) {
				n = s.rng.IntN(len(st.log))
			}
			st.lose(n)
			s.say("%s: progress goes back to %d notes", c.alias, n)
		}
	default: // ids that expired
		for _, w := range s.writers {
			if w.d == c.number && s.chance(3) {
				delete(c.txns, w.txn())
				c.expired = true
			}
		}
	}
}

func (s *sim) loseRegistry(c *cluster) {
	if r := &c.registry; s.chance(2) && len(r.entries) > 0 {
		r.cut(s.rng.IntN(len(r.entries)))
		s.say("%s: the registry goes back to %d writers", c.alias, len(r.entries))
		return
	}
	c.registry = registry{birth: c.registry.birth + 1, partial: c.registry.partial}
	s.say("%s: the registry is lost", c.alias)
}
