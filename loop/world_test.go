package loop

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/meshd/meshd/topology"
)

// world is a model of a mesh: logs, registries, writers and applications. What enters a log is decided by the package itself; rules can be
// taken away from it. One topic of one partition; what several
// topics have to do with each other is that applications copy records from one into another.
type world struct {
	topic    string
	graph    Graph
	origins  *Origins
	clusters []*site
	cut      map[topology.Pair]bool
	records  []*record
	rules    rules
	now      time.Time
	tick     Tick
	zombie   bool // who acts was replaced
	batches  bool // provenance batch
	forgets  bool // progress may be lost, with its notes of gaps
	wander   bool // applications read at one cluster and write at another, too
	switches int
	counts   Counters
	trace    []string
}

// rules are those that are taken away.
type rules struct {
	trustHeaders  bool // 1: a header counts in any batch
	noBarrier     bool // 1, 4: an id that is not in the registry as far as it was read is an application's
	noFrontier    bool // 2: only what is at home is refused
	noIncarnation bool // 2: coordinates without the incarnation
	noEpoch       bool // 2: coordinates without the leader epoch
	linkFrontiers bool // 3: each link has a writer and a frontier of its own
	fixedSource   bool // 3: the nearest for ever
	noGaps        bool // 4: gaps of the source are not read
	seenAdvances  bool // 2: what is left out counts as delivered
	blindMap      bool // 1: the source's own map is not asked
	lostIgnored   bool // 4: a registry that is empty is taken for a new one
	coordinates   bool // 1: the source's own map is asked for the header's coordinate, not for the record's place
	unfenced      bool // not a rule of this package: Kafka's fence, on which it stands
}

// record is what a producer wrote once. It is followed by its number, which no rule can see.
type record struct {
	number int
	origin int
	at     Coordinate
	lost   bool // its origin lost it: truncated, or its topic made anew
}

type entry struct {
	record int
	by     int64 // producer id
	epoch  int32
	header []byte
	at     Coordinate // its place at its origin
}

// origin is whose writer wrote an entry.
func (e entry) origin() int { return int(e.by % 1000) }

// site is a cluster. Offsets are indexes of its log.
type site struct {
	number      int
	alias       topology.Alias
	log         []entry
	start       int
	incarnation int32
	epoch       int32
	down        bool
	registered  map[int64]Origin // the registry as it is
	taken       *Frontiers
	readers     map[readerKey]*reader // by origin, and by link where rules say so
	choices     []Choice
	views       map[int]*Writers // of each source's registry
	read        map[int]int      // the birth of it
	perLink     map[int]*Frontiers
	born, birth int          // generations of its writers and of its registry
	covered     map[int]int  // by origin: up to where the map says what its writer wrote
	lost        map[int]bool // by origin: nobody knows where its writer stood
	old         *owner
	graph       Graph // of the version of the topology that its nodes have; nil: the newest
}

// owner is what a node that was replaced still believes.
type owner struct {
	taken   *Frontiers
	readers map[readerKey]*reader
	choices []Choice
	views   map[int]*Writers
	read    map[int]int
	born    int
}

type readerKey struct{ origin, link int }

type reader struct {
	source int // -1: none
	next   int
}

const appID = 1

func newWorld(g Graph, n int, r rules) *world {
	w := &world{topic: "t", graph: g, origins: &Origins{}, cut: map[topology.Pair]bool{}, rules: r, now: time.Unix(0, 0)}
	for i := range n {
		id, err := NewClusterID(string(name(i)))
		if err != nil {
			panic(err)
		}
		w.origins.Number(id)
		s := &site{
			number: i, alias: name(i), registered: map[int64]Origin{}, covered: map[int]int{}, readers: map[readerKey]*reader{}, choices: make([]Choice, n),
			views: map[int]*Writers{}, read: map[int]int{}, perLink: map[int]*Frontiers{}, lost: map[int]bool{},
		}
		s.forget()
		w.clusters = append(w.clusters, s)
	}
	return w
}

// forget begins the frontiers of a site. The partition has another number at each.
func (s *site) forget() { s.taken = newFrontiers(s.number) }

func newFrontiers(c int) *Frontiers {
	f := NewFrontiers(Origin(c))
	for i := range c {
		f.Part("another", int32(i))
	}
	if f.Part("the one", 0) != part(c) {
		panic("parts are not numbered one after the other")
	}
	return f
}

func part(c int) Part { return Part(c) }

func name(i int) topology.Alias { return topology.Alias(string(rune('a' + i))) }

func (w *world) say(format string, args ...any) {
	if len(w.trace) < 400 {
		w.trace = append(w.trace, fmt.Sprintf(format, args...))
	}
}

// produce has an application write a record; header is what it copied from its input.
func (w *world) produce(c int, header []byte) *record {
	s := w.clusters[c]
	r := &record{number: len(w.records), origin: c, at: Coordinate{s.incarnation, s.epoch, int64(len(s.log))}}
	w.records = append(w.records, r)
	by := int64(appID)
	if r.number%3 == 0 {
		by = -1
	}
	s.log = append(s.log, entry{record: r.number, by: by, epoch: s.epoch, header: header, at: r.at})
	w.say("%s: produces %d at %s", s.alias, r.number, r.at)
	return r
}

// judge is the package's judge for what c takes of origin o from source s.
func (w *world) judge(c, o, s int) *Judge {
	dst, src := w.clusters[c], w.clusters[s]
	if dst.views[s] == nil {
		dst.views[s] = NewWriters()
	}
	from := make([]bool, len(w.clusters))
	from[o] = true
	j := &Judge{
		Destination: Origin(c), Source: Origin(s), Topic: TopicTag(w.topic), Incarnation: src.incarnation, Origins: w.origins, Writers: dst.views[s],
		Taken: w.frontiers(c, s), Part: part(c), From: from, Behind: src.taken, BehindPart: part(s), Map: siteMap{src, w.origins, w.rules.coordinates},
	}
	if w.batches {
		j.Provenance = Batches
	}
	if w.rules.noGaps {
		j.Behind = nil
	}
	if w.rules.blindMap {
		j.Map = nil
	}
	if w.rules.noIncarnation {
		j.Incarnation = 0
	}
	return j
}

func (w *world) frontiers(c, s int) *Frontiers {
	d := w.clusters[c]
	switch {
	case w.rules.noFrontier:
		return newFrontiers(c)
	case w.rules.linkFrontiers:
		if d.perLink[s] == nil {
			d.perLink[s] = newFrontiers(c)
		}
		return d.perLink[s]
	}
	return d.taken
}

// verdict judges an entry, rules taken away included.
func (w *world) verdict(j *Judge, e entry, offset int, fetched Tick) Ruling {
	if j.BehindAsOf = fetched + 1; w.clusters[j.Source].lost[e.origin()] { // what stands here is as it is now
		j.BehindAsOf = -1
	}
	b := Batch{Magic: 2, ProducerID: e.by, LeaderEpoch: e.epoch, First: int64(offset), Last: int64(offset), Fetched: fetched}
	if w.rules.noEpoch {
		b.LeaderEpoch = 0
	}
	if w.rules.trustHeaders && e.header != nil {
		h, err := DecodeHeader(e.header)
		if err != nil {
			panic(err)
		}
		o, _ := j.Origins.Find(h.Cluster)
		switch {
		case o == j.Destination:
			return Ruling{Act: Suppress, Why: Own, Origin: o}
		case !j.takes(o):
			return Ruling{Act: Suppress, Why: OtherSource, Origin: o}
		}
		return j.Record(b, Ruling{Act: Records, Why: Carried, Origin: o}, b.First, e.header, true)
	}
	r := j.Batch(b)
	if r.Act == Records {
		r = j.Record(b, r, b.First, e.header, e.header != nil)
	}
	return r
}

// barrier reads the registry of a source behind what was fetched.
func (w *world) barrier(c, s int) {
	v := w.clusters[c].views[s]
	w.tick++
	at := w.tick
	if !w.rules.noBarrier {
		w.refresh(c, s)
	}
	w.tick++
	v.ReadSince(at)
}

func (w *world) refresh(c, s int) {
	d, src := w.clusters[c], w.clusters[s]
	if d.views[s] == nil {
		d.views[s] = NewWriters()
	}
	if was, ok := d.read[s]; ok && was != src.birth && !w.rules.lostIgnored {
		d.views[s].Lose()
		return
	}
	d.read[s] = src.birth
	for id, o := range src.registered {
		_ = d.views[s].Register(id, o)
	}
}

// step has the writer of origin o at c take one record, if there is one. It says whether something happened.
func (w *world) step(c, o int) (moved bool) { return w.stepFrom(c, o, -1) }

func (w *world) stepFrom(c, o, link int) (moved bool) {
	d := w.clusters[c]
	key := readerKey{o, link}
	r := d.readers[key]
	if r == nil {
		r = &reader{source: link}
		d.readers[key] = r
	}
	if link < 0 {
		w.choose(c, o, r)
	}
	if !d.down && !w.zombie {
		d.covered[o] = len(d.log)
	}
	if r.source < 0 || d.down || d.lost[o] || w.unreachable(r.source, c) {
		return false
	}
	src := w.clusters[r.source]
	if link < 0 && !w.rules.noGaps && w.broken(c, o, r.source) {
		return false
	}
	j := w.judge(c, o, r.source)
	for r.next = max(r.next, src.start); r.next < len(src.log); r.next++ {
		e := src.log[r.next]
		w.tick++
		fetched := w.tick
		rule := w.verdict(j, e, r.next, fetched)
		if rule.Act == Wait && rule.Why == Barrier {
			w.barrier(c, r.source)
			rule = w.verdict(j, e, r.next, fetched)
		}
		w.counts.Count(rule, 1)
		switch rule.Act {
		case Deliver, Stamp:
			w.deliver(c, o, r.source, e, rule)
			r.next++
			return true
		case Wait, Stop:
			return false
		default:
			if w.rules.seenAdvances && rule.Why == OtherSource && e.by < 1000 {
				d.taken.Pass(Origin(r.source), part(c), e.at.Next())
			}
		}
	}
	return false
}

func (w *world) deliver(c, o, from int, e entry, rule Ruling) {
	d := w.clusters[c]
	if w.zombie && !w.rules.unfenced {
		w.say("%s: a zombie is refused", d.alias)
		return
	}
	by := int64(1000*(1+d.born) + o)
	if _, ok := d.registered[by]; !ok {
		d.registered[by] = Origin(o)
	}
	header := e.header
	if rule.Act == Stamp {
		header = AppendHeader(nil, w.origins.ID(rule.Origin), TopicTag(w.topic), 0, rule.At)
	}
	w.frontiers(c, from).Advance(rule.Origin, part(c), rule.At)
	d.log = append(d.log, entry{record: e.record, by: by, epoch: d.epoch, header: header, at: e.at})
	w.say("%s: takes %d (%s of %s) from %s", d.alias, e.record, rule.At, name(int(rule.Origin)), name(from))
}

func (w *world) unreachable(s, c int) bool {
	return w.clusters[s].down || w.cut[topology.Pair{Source: name(s), Destination: name(c)}]
}

// choose asks the package which source to take.
func (w *world) choose(c, o int, r *reader) {
	d := w.clusters[c]
	v := w.view(c, o)
	was := d.choices[o].Source
	d.choices[o] = Choose(d.choices[o], v, w.now)
	now := d.choices[o].Source
	if w.rules.fixedSource {
		now = nearest(v)
	}
	for _, g := range d.choices[o].Gaps(v, w.now) {
		d.taken.Note(Origin(o), part(c), g)
		w.say("%s: gap %s..%s of %s", d.alias, g.From, g.To, name(o))
	}
	if now == "" {
		r.source = -1
		return
	}
	if s := int(now[0] - 'a'); s != r.source || was == "" {
		if r.source >= 0 {
			w.switches++
			w.say("%s: takes %s from %s now: %s", d.alias, name(o), now, d.choices[o].Why)
		}
		r.source, r.next = s, 0
	}
}

func nearest(v View) topology.Alias {
	best := -1
	for i, n := range v.Neighbours {
		if n.Cost != None && (best < 0 || n.Cost < v.Neighbours[best].Cost) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return v.Neighbours[best].Cluster
}

func (w *world) view(c, o int) View {
	here := w.clusters[c].taken.Next(Origin(o), part(c))
	g := w.graph
	if w.clusters[c].graph != nil {
		g = w.clusters[c].graph
	}
	v := View{Here: []Coordinate{here}, Neighbours: g.Neighbours(name(o), name(c))}
	for i := range v.Neighbours {
		n := &v.Neighbours[i]
		s := int(n.Cluster[0] - 'a')
		n.Reachable = !w.unreachable(s, c)
		front, first := w.clusters[s].reach(o, here)
		n.Offers = []Offer{MakeOffer(here, front, first, w.clusters[s].taken.Gaps(Origin(o), part(s)))}
	}
	return v
}

// settle lets everything that can move do so, in an order that a seed gives, with time going on.
func (w *world) settle(rng *rand.Rand) (steps int) {
	for idle := 0; idle < 30 && steps < 3000; {
		moved := false
		for _, k := range rng.Perm(len(w.clusters) * len(w.clusters)) {
			c, o := k/len(w.clusters), k%len(w.clusters)
			if c != o && w.act(c, o) {
				moved = true
				steps++
			}
		}
		w.now = w.now.Add(time.Second)
		if idle++; moved {
			idle = 0
		}
	}
	return steps
}

// act is step, or one for each link where links write by themselves.
func (w *world) act(c, o int) (moved bool) {
	if !w.rules.linkFrontiers {
		return w.step(c, o)
	}
	for _, e := range w.graph {
		if e.Destination == name(c) {
			moved = w.stepFrom(c, o, int(e.Source[0]-'a')) || moved
		}
	}
	return moved
}
