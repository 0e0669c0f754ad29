package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/meshd/meshd/topology"
)

// run is one seed: its steps, without those that are left out, and then quiet. It returns what is wrong, and at which step.
func run(seed uint64, steps int, left []int, taken rule) (s *sim, wrong string) {
	s = newSim(seed, steps, taken)
	for i := range steps {
		if slices.Contains(left, i) {
			continue
		}
		s.rng = rand.New(rand.NewPCG(seed, uint64(i)+1))
		s.step()
		if wrong := s.audit.look(); wrong != "" {
			s.steps = i + 1
			return s, wrong
		}
		if i%10 == 0 {
			s.audit.checkTranslations()
		}
	}
	return s, s.end()
}

// step is one thing, or a few of a kind.
func (s *sim) step() {
	s.now = s.now.Add(time.Duration(s.rng.IntN(700)) * time.Millisecond)
	switch k := s.rng.IntN(100); {
	case k < 45:
		s.someWork(s.writers, 1+s.rng.IntN(6))
	case k < 62:
		for range 1 + s.rng.IntN(4) {
			if len(s.sent) > 0 {
				s.arrive(s.rng.IntN(len(s.sent)))
				s.audit.look()
			}
		}
	case k < 76:
		s.applications()
	case k < 80:
		s.copyHeaders()
	case k < 85:
		s.someWork(s.zombies, 1+s.rng.IntN(3))
	case k < 87:
		s.now = s.now.Add(time.Duration(s.rng.IntN(13)) * time.Second)
	case k < 88 && s.chance(4):
		s.persons()
	default:
		s.event()
	}
}

// someWork has some writers do a few things each.
func (s *sim) someWork(of []*writer, n int) {
	if len(of) == 0 {
		return
	}
	for range n {
		w := of[s.rng.IntN(len(of))]
		for range 1 + s.rng.IntN(8) {
			if len(w.parts) > 0 {
				s.work(w, w.parts[s.rng.IntN(len(w.parts))])
			}
		}
		s.saveSome(w)
	}
}

// saveSome saves now and then.
func (s *sim) saveSome(w *writer) {
	for _, p := range w.parts {
		if w.stage == open && !w.dead && !s.clusters[w.d].down && p.stop == "" && s.chance(4) && !s.leaderChanged(w, p) {
			s.save(w, p)
		}
	}
}

// end heals what can be healed, waits for quiet, takes what is lost for ever out of the topology, and waits again.
func (s *sim) end() string {
	s.rng = rand.New(rand.NewPCG(s.seed, 1<<40))
	s.say("calm")
	clear(s.cut)
	for _, c := range s.clusters {
		c.down = c.gone
	}
	for _, w := range s.writers {
		w.version = len(s.versions) - 1
	}
	if !s.quiet() {
		return "it never becomes quiet"
	}
	if s.agree {
		s.persons()
	}
	s.bury()
	if !s.quiet() {
		return "it never becomes quiet"
	}
	s.audit.checkTranslations()
	if s.audit.wrong == "" {
		s.audit.arrived()
	}
	return s.audit.wrong
}

// bury takes clusters that are lost for ever out of the topology: nobody waits for what only they have.
func (s *sim) bury() {
	s.versions = append(s.versions, s.newest().without(func(a topology.Alias) bool { return s.clusters[number(a)].gone }))
	for _, w := range s.writers {
		w.version = len(s.versions) - 1
	}
}

// quiet lets everything go on until nothing moves for longer than anybody waits.
func (s *sim) quiet() bool {
	for idle, rounds := 0, 0; idle < quietRounds; rounds++ {
		if rounds == mostRounds {
			return false
		}
		before := s.moves
		for _, w := range s.writers {
			for _, p := range w.parts {
				for range 3 {
					s.work(w, p)
				}
			}
			s.saveSome(w)
		}
		for range len(s.sent) {
			if len(s.sent) > 0 {
				s.arrive(s.rng.IntN(len(s.sent)))
			}
		}
		if s.audit.look() != "" {
			return true
		}
		s.now = s.now.Add(2 * time.Second)
		if idle++; s.moves != before {
			idle = 0
		}
	}
	return true
}

const (
	quietRounds = 20
	mostRounds  = 600
)
