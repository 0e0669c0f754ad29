package loop

// Part is a partition of a topic, which has one name in the whole mesh, as a small number within one Frontiers.
type Part int32

// Frontiers is how far each origin partition has come at one cluster: the first coordinate that is not settled there. Below it a
// record is there, or never will be.
type Frontiers struct {
	home  Origin
	parts map[partition]Part
	next  [][]Coordinate // by origin, by part
	gaps  map[slot]Gaps
}

type (
	partition struct {
		topic  string
		number int32
	}
	slot struct {
		origin Origin
		part   Part
	}
)

// NewFrontiers begins the frontiers of the cluster that home stands for.
func NewFrontiers(home Origin) *Frontiers {
	return &Frontiers{home: home, parts: map[partition]Part{}, gaps: map[slot]Gaps{}}
}

// Part returns the number of a partition, a new one if it was never met.
func (f *Frontiers) Part(topic string, number int32) Part {
	key := partition{topic, number}
	p, ok := f.parts[key]
	if !ok {
		p = Part(len(f.parts))
		f.parts[key] = p
	}
	return p
}

// Next is the frontier of an origin partition: Start if nothing is known, Infinite at home.
func (f *Frontiers) Next(o Origin, p Part) Coordinate {
	switch {
	case o == f.home:
		return Infinite
	case int(o) >= len(f.next) || int(p) >= len(f.next[o]):
		return Start
	}
	return f.next[o][p]
}

// Advance raises a frontier behind the record at c. It says false, and changes nothing, if the record is not above it.
func (f *Frontiers) Advance(o Origin, p Part, c Coordinate) bool {
	if c.Less(f.Next(o, p)) {
		return false
	}
	f.set(o, p, c.Next())
	return true
}

// Pass raises a frontier to c without a record. Only what is known of the origin's own log may do so: what compaction took, control
// records, a gap that was noted. What was suppressed or filtered may not: the record may yet come another way.
func (f *Frontiers) Pass(o Origin, p Part, c Coordinate) {
	if f.Next(o, p).Less(c) {
		f.set(o, p, c)
	}
}

// CatchUp passes a frontier to what a source said that it can serve, once all was judged that its log held when it said so; and as the same
// leader still leads there, so that nothing was taken back. Else who waits for a record that a neighbour passed without one waits for ever.
func (f *Frontiers) CatchUp(o Origin, p Part, said Offer) { f.Pass(o, p, said.Until) }

// Note records a gap, and passes it.
func (f *Frontiers) Note(o Origin, p Part, g Gap) {
	if o == f.home {
		return
	}
	if next := f.Next(o, p); g.From.Less(next) {
		g.From = next
	}
	if s := (slot{o, p}); g.From.Less(g.To) {
		f.gaps[s] = f.gaps[s].Add(g)
		f.Pass(o, p, g.To)
	}
}

// Gaps are the gaps of an origin partition here. The caller must not change them.
func (f *Frontiers) Gaps(o Origin, p Part) Gaps { return f.gaps[slot{o, p}] }

// Restore sets what was stored, whatever was there.
func (f *Frontiers) Restore(o Origin, p Part, next Coordinate, gaps Gaps) {
	if o == f.home {
		return
	}
	f.set(o, p, next)
	delete(f.gaps, slot{o, p})
	if len(gaps) > 0 {
		f.gaps[slot{o, p}] = gaps
	}
}

// Rewind takes a frontier back to c, for the cluster lost what it had from there on.
func (f *Frontiers) Rewind(o Origin, p Part, c Coordinate) {
	if o == f.home || !c.Less(f.Next(o, p)) {
		return
	}
	f.Restore(o, p, c, f.gaps[slot{o, p}].Below(c))
}

func (f *Frontiers) set(o Origin, p Part, c Coordinate) {
	for int(o) >= len(f.next) {
		f.next = append(f.next, nil)
	}
	row := f.next[o]
	for int(p) >= len(row) {
		row = append(row, Start)
	}
	row[p], f.next[o] = c, row
}
