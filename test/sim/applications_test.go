package sim

import (
	"fmt"

	"github.com/meshd/meshd/loop"
)

// applications write some records.
func (s *sim) applications() {
	c, t, i := s.somewhere()
	if c.down || !t.carries(c.number) {
		return
	}
	var records []record
	for range 1 + s.rng.IntN(4) {
		records = append(records, s.newRecord(c, t, i, nil))
	}
	s.produce(c, t, i, records)
	if s.chance(6) { // another application starts
		c.app, c.written = c.newID(), map[*partition]int32{}
	}
}

func (s *sim) somewhere() (*cluster, topicPlan, int) {
	t := s.topics[s.rng.IntN(len(s.topics))]
	return s.clusters[s.rng.IntN(len(s.clusters))], t, s.rng.IntN(t.parts)
}

func (s *sim) newRecord(c *cluster, t topicPlan, i int, copied []header) record {
	s.made++
	return newRecord(fmt.Sprintf("%s/%s", c.alias, key(t.name, i)), s.made, copied)
}

func (s *sim) produce(c *cluster, t topicPlan, i int, records []record) {
	at := c.write(t.name, i, records, s.chance(3))
	s.tally.records += len(records)
	s.say("%s: %s/%d: %s and %d more at %d", c.alias, t.name, i, records[0].name(), len(records)-1, at)
	s.moved()
}

// copyHeaders has an application read a record and write another one with its headers: to the same topic or another, here or elsewhere.
func (s *sim) copyHeaders() {
	c, t, i := s.somewhere()
	if !s.may[copies] || c.down || !t.carries(c.number) {
		return
	}
	got := c.topics[t.name].parts[i].retained()
	if len(got) == 0 {
		return
	}
	b := got[s.rng.IntN(len(got))]
	if len(b.records) == 0 {
		return
	}
	r := b.records[s.rng.IntN(len(b.records))]
	if _, ok := r.stamp(); !ok {
		return
	}
	to, u, k := c, t, i
	if s.chance(2) {
		to, u, k = s.somewhere()
	}
	if to.down || !u.carries(to.number) {
		return
	}
	var copied []header
	for _, h := range r.headers {
		if h.key == loop.HeaderKey {
			copied = append(copied, h)
		}
	}
	s.happened[copies] = true
	s.produce(to, u, k, []record{s.newRecord(to, u, k, copied)})
}
