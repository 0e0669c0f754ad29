package offsetxlate

import "encoding/binary"

// pageBytes is the size at which a page takes no further run. It bounds both what a write repeats and what a look-up decodes.
const pageBytes = 480

// sampleBytes is how far apart a page's samples lie.
const sampleBytes = 96

// Kinds of a packed run, in the low two bits of its head.
const (
	skipSource = iota // an offset was skipped at the source alone; also none at all
	skipDest          // at the destination alone
	skipBoth
	joined // skipBoth, and the gaps inside
)

// page is a stretch of the map: the packed runs from start to end.
type page struct {
	start  pair   // end of the run before, or of what is unknown; the first run is counted from here
	end    pair   // end of the last packed run; start if there is none
	runs   []byte // packed
	sample []sample
	stride int64 // runs were joined up to so many records; 0: never
	mark   Mark  // when it changed last
}

// sample is a place within a page from which runs can be unpacked.
type sample struct {
	at  pair // end of the run before
	pos int  // of the next run
}

func (p *page) full() bool { return len(p.runs) >= pageBytes }

func (p *page) add(r run) {
	p.note(p.end, len(p.runs))
	p.runs = packRun(p.runs, p.end, r)
	p.end = r.end()
}

// note takes a sample where the last one lies far enough behind.
func (p *page) note(at pair, pos int) {
	if pos >= (len(p.sample)+1)*sampleBytes {
		p.sample = append(p.sample, sample{at: at, pos: pos})
	}
}

// seek finds the first packed run that ends behind x.
func (p *page) seek(x int64, from side) (run, bool) {
	c := p.cursor()
	for _, s := range p.sample {
		if s.at[from] > x {
			break
		}
		c.prev, c.rest = s.at, p.runs[s.pos:]
	}
	for {
		c.skim(x, from)
		if r, ok := c.next(); !ok || c.prev[from] > x {
			return r, ok
		}
	}
}

func (p *page) cursor() cursor { return cursor{rest: p.runs, prev: p.start} }

// packRun appends r, as it follows prev. The form is head, skips, gaps: uvarints, where head is (n-1)<<2 | kind.
func packRun(b []byte, prev pair, r run) []byte {
	skip := pair{r.at[src] - prev[src], r.at[dst] - prev[dst]}
	kind := skipBoth
	switch {
	case !r.dense():
		kind = joined
	case skip[dst] == 0:
		kind = skipSource
	case skip[src] == 0:
		kind = skipDest
	}
	b = binary.AppendUvarint(b, uint64(r.n-1)<<2|uint64(kind))
	if kind != skipDest {
		b = binary.AppendUvarint(b, uint64(skip[src]))
	}
	if kind != skipSource {
		b = binary.AppendUvarint(b, uint64(skip[dst]))
	}
	if kind == joined {
		b = binary.AppendUvarint(b, uint64(r.gap[src]))
		b = binary.AppendUvarint(b, uint64(r.gap[dst]))
	}
	return b
}

// cursor unpacks the runs of a page. What can't be read sets bad and ends it.
type cursor struct {
	rest []byte
	prev pair
	bad  bool
}

func (c *cursor) next() (run, bool) {
	if len(c.rest) == 0 {
		return run{}, false
	}
	head := c.uvarint()
	r := run{at: c.prev, n: int64(head>>2) + 1}
	kind := head & 3
	if kind != skipDest {
		r.at[src] += c.number()
	}
	if kind != skipSource {
		r.at[dst] += c.number()
	}
	if kind == joined {
		r.gap = pair{c.number(), c.number()}
	}
	c.prev = r.end()
	if r.n > MaxOffset || c.prev[src] > MaxOffset || c.prev[dst] > MaxOffset {
		c.bad = true
	}
	return r, !c.bad
}

// skim passes over runs that end at x or before, as long as they are what nearly all are: two bytes, with a skip on one side. It
// is next and a comparison, several times as fast.
func (c *cursor) skim(x int64, from side) {
	b, s, d := c.rest, c.prev[src], c.prev[dst]
	for len(b) >= 2 && b[0]|b[1] < 0x80 && b[0]&3 <= skipDest {
		n := int64(b[0]>>2) + 1
		nextS, nextD := s+n, d+n
		if b[0]&3 == skipSource {
			nextS += int64(b[1])
		} else {
			nextD += int64(b[1])
		}
		if (from == src && nextS > x) || (from == dst && nextD > x) {
			break
		}
		b, s, d = b[2:], nextS, nextD
	}
	c.rest, c.prev = b, pair{s, d}
}

// number reads a count of offsets.
func (c *cursor) number() int64 {
	v := c.uvarint()
	if v > MaxOffset {
		c.bad = true
		return 0
	}
	return int64(v)
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.rest)
	if n <= 0 {
		c.bad, c.rest = true, nil
		return 0
	}
	c.rest = c.rest[n:]
	return v
}
