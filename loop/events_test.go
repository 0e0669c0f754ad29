package loop

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// event does one thing that happens to clusters, links and applications.
func (w *world) event(rng *rand.Rand, lose bool) {
	s := w.clusters[rng.IntN(len(w.clusters))]
	switch rng.IntN(26) {
	case 0, 1, 2, 3, 4, 5:
		if !s.down && len(w.records) < 24 {
			w.produce(s.number, nil)
		}
	case 6, 7:
		w.copyHeader(rng, s)
	case 8, 9, 10:
		e := w.graph[rng.IntN(len(w.graph))]
		w.cut[e.Pair] = !w.cut[e.Pair]
		w.say("link %s cut: %v", e.Pair, w.cut[e.Pair])
	case 11:
		s.down = !s.down
		w.say("%s down: %v", s.alias, s.down)
	case 12, 13:
		w.truncate(s, rng.IntN(len(s.log)+1))
	case 14:
		w.recreate(s)
	case 15, 16:
		s.start += rng.IntN(len(s.log) - s.start + 1)
		w.say("%s: log begins at %d", s.alias, s.start)
	case 17, 18:
		w.crash(s)
	case 19:
		if lose {
			w.loseRegistry(s)
		}
	case 20:
		w.zombieActs(s, rng)
	case 21:
		s.graph = slices.DeleteFunc(slices.Clone(w.graph), func(Edge) bool { return rng.IntN(4) == 0 })
		w.say("%s: another version of the topology: %v", s.alias, show(s.graph))
	case 22:
		if w.forgets {
			w.loseProgress(s)
		}
	default:
		w.now = w.now.Add(time.Duration(rng.IntN(12)) * time.Second)
	}
}

// copyHeader has an application copy a record with the headers that it was read with.
func (w *world) copyHeader(rng *rand.Rand, s *site) {
	if s.down || len(s.log) == s.start || len(w.records) >= 24 {
		return
	}
	if e := s.log[s.start+rng.IntN(len(s.log)-s.start)]; e.header != nil {
		w.say("%s: an application copies %d", s.alias, e.record)
		to := s
		if w.wander && rng.IntN(2) == 0 {
			to = w.clusters[rng.IntN(len(w.clusters))]
		}
		if !to.down {
			w.produce(to.number, e.header)
		}
	}
}

// truncate is an unclean election: the log loses its end, and what is written from now on has a higher leader epoch.
func (w *world) truncate(s *site, to int) {
	to = max(to, s.start)
	w.say("%s: truncated from %d to %d", s.alias, len(s.log), to)
	for _, e := range s.log[to:] {
		if s.holds(e, s.number) {
			w.records[e.record].lost = true
		}
	}
	s.log = s.log[:to:to]
	for o := range s.covered {
		s.covered[o] = min(s.covered[o], to)
	}
	s.epoch++
	for o := range w.clusters {
		_, end := s.recovered(o)
		s.taken.Rewind(Origin(o), part(s.number), end)
	}
	for _, c := range w.clusters {
		for _, r := range c.readers {
			if r.source == s.number {
				r.next = min(r.next, to)
			}
			if c == s {
				r.next = 0 // looked up anew from the frontier
			}
		}
	}
}

// recovered is what the log itself tells of an origin's frontier.
func (s *site) recovered(o int) (n int, end Coordinate) {
	end = Start
	for _, e := range s.log {
		if o != s.number && s.holds(e, o) {
			n, end = n+1, highest(end, e.at.Next())
		}
	}
	return n, end
}

// recreate is a topic that was deleted and made again, and a person who accepted it.
func (w *world) recreate(s *site) {
	w.say("%s: topic made anew", s.alias)
	for _, r := range w.records {
		r.lost = r.lost || r.origin == s.number
	}
	s.log, s.start, s.epoch = nil, 0, 0
	s.incarnation++
	s.forget()
	clear(s.perLink)
	clear(s.covered)
	clear(s.lost)
	for _, c := range w.clusters {
		for _, r := range c.readers {
			if r.source == s.number || c == s {
				r.next = 0
			}
		}
	}
}

// crash is a node that dies and one that takes over: new producer ids, frontiers from the log and from what was noted, which is a gap alone.
func (w *world) crash(s *site) {
	w.say("%s: its writers die", s.alias)
	was := s.taken
	s.old = &owner{was, s.readers, s.choices, s.views, s.read, s.born}
	s.born++
	s.forget()
	for o := range w.clusters {
		_, end := s.recovered(o)
		gaps := was.Gaps(Origin(o), part(s.number))
		if n := len(gaps); n > 0 {
			end = highest(end, gaps[n-1].To)
		}
		s.taken.Restore(Origin(o), part(s.number), end, gaps)
	}
	s.readers, s.views, s.read, s.choices = map[readerKey]*reader{}, map[int]*Writers{}, maps.Clone(s.read), make([]Choice, len(w.clusters))
}

// zombieActs has a node that was replaced do a step as if it had not been.
func (w *world) zombieActs(s *site, rng *rand.Rand) {
	o := rng.IntN(len(w.clusters))
	if s.old == nil || o == s.number {
		return
	}
	now := owner{s.taken, s.readers, s.choices, s.views, s.read, s.born}
	s.be(*s.old)
	w.zombie = true
	w.step(s.number, o)
	w.zombie = false
	s.be(now)
}

func (s *site) be(o owner) {
	s.taken, s.readers, s.choices, s.views, s.read, s.born = o.taken, o.readers, o.choices, o.views, o.read, o.born
}

// loseRegistry takes away who wrote at a cluster. New writers register in the new one.
func (w *world) loseRegistry(s *site) {
	w.say("%s: registry lost", s.alias)
	clear(s.registered)
	s.birth++
	s.born++
}

// calm heals everything but what is lost for ever.
func (w *world) calm(rng *rand.Rand) {
	clear(w.cut)
	for _, s := range w.clusters {
		s.down, s.graph = s.down && rng.IntN(2) == 0, nil
	}
}

// bury takes clusters that are lost for ever out of the topology: nobody waits for what only they have.
func (w *world) bury() {
	w.graph = slices.DeleteFunc(slices.Clone(w.graph), func(e Edge) bool {
		return w.clusters[e.Source[0]-'a'].down || w.clusters[e.Destination[0]-'a'].down
	})
}
