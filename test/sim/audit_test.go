package sim

import (
	"cmp"
	"fmt"

	"github.com/meshd/meshd/loop"
)

// audit reads the journals of all logs, and what is noted of gaps, and nothing else.
type audit struct {
	s      *sim
	wrong  string
	logs   map[logKey]*logged
	homes  map[string]*homed
	places map[string][]string // by home: its records in their order
	read   map[*partition]int
	said   map[saidKey]loop.Gaps // gaps as they were noted last
	lost   map[saidKey]loop.Gaps // of those, in stores that were lost
}

type logKey struct {
	cluster int
	key     string
}

type saidKey struct {
	cluster, origin int
	key             string
}

// logged is what a log holds, or held until retention took it.
type logged struct {
	topic *topic
	list  []seen
	has   map[string]bool
	last  map[int]string // by origin
}

type seen struct {
	name   string
	offset int64
}

// homed is where a record was first produced.
type homed struct {
	cluster, index int
	key            string
	at             loop.Coordinate
	lost           bool // its home lost it: an unclean election, or the topic was made anew
	record         record
}

func newAudit(s *sim) *audit {
	return &audit{
		s: s, logs: map[logKey]*logged{}, homes: map[string]*homed{}, places: map[string][]string{}, read: map[*partition]int{}, said: map[saidKey]loop.Gaps{}, lost: map[saidKey]loop.Gaps{},
	}
}

func (a *audit) fault(format string, args ...any) {
	if a.wrong == "" {
		a.wrong = fmt.Sprintf(format, args...)
	}
}

// look reads what is new everywhere; homes first, for what is copied was there before.
func (a *audit) look() string {
	for _, c := range a.s.clusters {
		for _, t := range a.s.topics {
			if top := c.topics[t.name]; top != nil {
				for i, p := range top.parts {
					a.lookAt(c, top, key(t.name, i), p)
				}
			}
		}
	}
	return a.wrong
}

// lookAt is called whenever one thing happened at most, so a batch of its own comes before its copies.
func (a *audit) lookAt(c *cluster, t *topic, key string, p *partition) {
	k := logKey{c.number, key}
	l := a.logs[k]
	if l == nil || l.topic != t {
		for _, e := range listOf(l) {
			if h := a.homes[e.name]; h.cluster == c.number {
				h.lost = true
			}
		}
		l = &logged{topic: t, has: map[string]bool{}, last: map[int]string{}}
		a.logs[k] = l
	}
	for ; a.read[p] < len(p.journal); a.read[p]++ {
		ch := p.journal[a.read[p]]
		switch {
		case ch.put == nil:
			a.cut(c, l, ch.cut)
		case !ch.put.control:
			for i, r := range ch.put.records {
				a.put(c, l, key, ch.put, int64(i), r)
			}
		}
	}
}

func listOf(l *logged) []seen {
	if l == nil {
		return nil
	}
	return l.list
}

// cut forgets what an unclean election took.
func (a *audit) cut(c *cluster, l *logged, to int64) {
	for len(l.list) > 0 && l.list[len(l.list)-1].offset >= to {
		e := l.list[len(l.list)-1]
		l.list = l.list[:len(l.list)-1]
		delete(l.has, e.name)
		if h := a.homes[e.name]; h.cluster == c.number {
			h.lost = true
		}
	}
	clear(l.last)
	for _, e := range l.list {
		l.last[a.homes[e.name].cluster] = e.name
	}
}

func (a *audit) put(c *cluster, l *logged, key string, b *batch, i int64, r record) {
	n := r.name()
	h := a.homes[n]
	switch {
	case h == nil:
		a.produced(c, key, b, i, r)
	case h.cluster == c.number:
		a.fault("P1: %s came home to %s", n, c.alias)
	default:
		a.copied(c, l, key, n, h, r)
	}
	l.list = append(l.list, seen{n, b.base + i})
	l.has[n] = true
	l.last[a.homes[n].cluster] = n
}

// produced notes a record at its home.
func (a *audit) produced(c *cluster, key string, b *batch, i int64, r record) {
	at := fmt.Sprintf("%s/%s", c.alias, key)
	if home(r.name()) != at {
		a.fault("P3: %s was first seen in %s", r.name(), at)
	}
	inc := int32(len(c.past[topicOf(key)]))
	a.homes[r.name()] = &homed{
		cluster: c.number, index: len(a.places[at]), key: key, at: loop.Coordinate{Incarnation: inc, Epoch: b.leader, Offset: b.base + i}, record: r,
	}
	a.places[at] = append(a.places[at], r.name())
}

// gaps are those that are noted at a cluster. What was noted in a store that is lost counts as it was.
func (a *audit) gaps(c *cluster, o int, key string) loop.Gaps {
	k := saidKey{c.number, o, key}
	if v, ok := c.stores[o].get("p/" + key); ok {
		_, gaps, err := loop.DecodeFrontier(v.frontier)
		if err != nil {
			a.fault("%s: %v", k.key, err)
		}
		for _, g := range a.lost[k] {
			gaps = gaps.Add(g)
		}
		a.said[k] = gaps
	}
	return a.said[k]
}

// remember keeps what is noted at a cluster in a store that is about to be lost.
func (a *audit) remember(c *cluster, o int) {
	for _, t := range a.s.topics {
		for i := range t.parts {
			a.lost[saidKey{c.number, o, key(t.name, i)}] = append(loop.Gaps(nil), a.gaps(c, o, key(t.name, i))...)
		}
	}
}

func order(x, y loop.Coordinate) int {
	return cmp.Or(cmp.Compare(x.Incarnation, y.Incarnation), cmp.Compare(x.Epoch, y.Epoch), cmp.Compare(x.Offset, y.Offset))
}
