package sim

import (
	"strings"

	"github.com/meshd/meshd/loop"
)

func topicOf(key string) string {
	t, _, _ := strings.Cut(key, "/")
	return t
}

// copied checks a copy that came to a log: once, in order, with nothing left out unsaid, and unchanged.
func (a *audit) copied(c *cluster, l *logged, key, n string, h *homed, r record) {
	if l.has[n] {
		a.fault("P2: %s is twice at %s", n, c.alias)
	}
	if h.key != key {
		a.fault("P3: %s is in %s at %s", n, key, c.alias)
	}
	if what := h.record.differs(r); what != "" {
		a.fault("P3: the %s of %s is another at %s", what, n, c.alias)
	}
	a.stamped(c, key, n, h, r)
	from := 0
	if last, ok := l.last[h.cluster]; ok {
		if order(h.at, a.homes[last].at) <= 0 {
			a.fault("P2: %s comes behind %s at %s", n, last, c.alias)
		}
		from = a.homes[last].index + 1
	}
	for _, m := range a.places[home(n)][min(from, h.index):h.index] {
		if x := a.homes[m]; !x.lost && !a.saysGap(c, x) {
			a.fault("P2: %s is not at %s, before %s, and nothing says why", m, c.alias, n)
		}
	}
}

func (a *audit) saysGap(c *cluster, h *homed) bool {
	_, ok := a.gaps(c, h.cluster, h.key).Between(h.at, h.at.Next())
	return ok
}

// stamped checks meshd's own header: one, the last, and true.
func (a *audit) stamped(c *cluster, key, n string, h *homed, r record) {
	if a.s.planOf(topicOf(key)).provenance == loop.Batches || a.s.without(offsetOnly) {
		return
	}
	v, ok := r.stamp()
	got, err := loop.DecodeHeader(v)
	switch {
	case !ok, err != nil, len(r.headers) != len(r.bare())+1:
		a.fault("%s has no header at %s, or several", n, c.alias)
	case loop.ClusterID(got.Cluster) != clusterID(h.cluster), got.Topic != loop.TopicTag(topicOf(key)), key != keyOf(topicOf(key), got.Partition), got.At != h.at:
		a.fault("%s has the header %s at %s, and was produced at %s", n, got, c.alias, h.at)
	}
}

func keyOf(topic string, part int32) string { return key(topic, int(part)) }

// arrived checks, when all is quiet, that each record is wherever a neighbour still has it to give, or that it is said why not.
func (a *audit) arrived() string {
	for _, t := range a.s.topics {
		for _, e := range a.s.newest()[t.name] {
			from, to := a.s.clusters[number(e.Source)], a.s.clusters[number(e.Destination)]
			for i := range t.parts {
				if !from.down && !to.down && a.serves(from, t.name) {
					a.arrivedFrom(from, to, t.name, i)
				}
			}
		}
	}
	a.reasons()
	return a.wrong
}

// serves says whether a cluster is one from which others may read: its own status says it where it is not, also to who did not try.
func (a *audit) serves(c *cluster, topic string) bool {
	own, ok := c.known[c.number]
	return isAccepted(c, c.topics[topic]) && (!ok || c.registry.since(own))
}

func (a *audit) arrivedFrom(from, to *cluster, topic string, i int) {
	k := key(topic, i)
	there := a.logs[logKey{to.number, k}]
	for _, b := range from.topics[topic].parts[i].retained() {
		for off, r := range b.records {
			h := a.homes[r.name()]
			if b.base+int64(off) < from.topics[topic].parts[i].start || h.cluster == to.number || h.lost || there.has[r.name()] || a.saysGap(to, h) || a.s.mute(from, h.cluster, k) {
				continue
			}
			if why := a.s.saysWhy(to.number, from.number, h.cluster, k); why == "" {
				w, p := a.s.writer(h.cluster, to.number, k)
				a.fault("P2: %s is at %s, not at %s, and nothing says why (%s: stage %d, frontier %s, source %d at %d, wait %q)", r.name(), from.alias, to.alias, w, w.stage,
					w.taken.Next(loop.Origin(w.o), p.part), p.src.cluster, p.src.at, p.wait)
			}
		}
	}
}

// mute says whether a cluster lost how far it has come of an origin, and its writer's status says so, also to who did not try to read there.
func (s *sim) mute(c *cluster, origin int, key string) bool {
	w, _ := s.writer(origin, c.number, key)
	_, ok := c.stores[origin].get("p/" + key)
	return w != nil && w.stop != "" && !ok
}

// saysWhy is what stands in a status: of the writer, of its part, of the link.
func (s *sim) saysWhy(d, from, o int, key string) string {
	w, p := s.writer(o, d, key)
	for _, why := range []string{w.stop, p.stop, s.stopped[stopKey{d, from, o, key}]} {
		if why != "" {
			return why
		}
	}
	if p.gap {
		return "gap"
	}
	if p.wait == loop.Uncovered.String() && s.stuckMap(p) || p.wait == loop.GapBarrier.String() && s.stuckWriter(o, p) || p.wait == "map" && s.stuckWriter(o, p) {
		return p.wait
	}
	return ""
}

// stuckMap says whether a writer at the part's source has stopped, so that its map will not go on.
func (s *sim) stuckMap(p *part) bool {
	for o := range s.clusters {
		if s.stuckWriter(o, p) {
			return true
		}
	}
	return false
}

func (s *sim) stuckWriter(o int, p *part) bool {
	if p.src.cluster < 0 || p.src.cluster == o {
		return false
	}
	w, q := s.writer(o, p.src.cluster, p.key)
	return w != nil && (w.stop != "" || q.stop != "")
}

// because are the events without which a reason can't be.
var because = map[string][]kind{
	"registry lost":         {registries},
	"destination recreated": {recreation},
	"source recreated":      {recreation},
	"progress lost":         {progresses},
	"resume point lost":     {progresses, truncation, retention},
}

// reasons checks that what is stopped has a reason that happened.
func (a *audit) reasons() {
	check := func(why string) {
		if why == "" {
			return
		}
		for _, k := range because[why] {
			if a.s.happened[k] {
				return
			}
		}
		a.fault("stopped without a cause: %s", why)
	}
	for _, w := range a.s.writers {
		check(w.stop)
		for _, p := range w.parts {
			check(p.stop)
		}
	}
	for _, k := range a.s.stopKeys() {
		check(a.s.stopped[k])
	}
}
