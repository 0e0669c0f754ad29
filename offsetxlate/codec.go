package offsetxlate

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Page is a piece of a map as it is stored, keyed by topic, partition and Start. A page with the same Start replaces the one
// before. Data is nil where the stored page has to be deleted. Before a map from New is stored, all pages of the one that it
// replaces have to be deleted, for nothing in them says that they belong to another.
type Page struct {
	Start Source
	Data  []byte
}

const (
	version     = 1
	flagFirst   = 1 // the map begins with this page
	flagKnown   = 2 // and below it the destination holds nothing that the source holds
	flagsOfV1   = flagFirst | flagKnown
	checksumLen = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encodePage writes version, flags, start, stride, what is covered behind the last record, the runs, and a CRC-32C of all that.
func (m *Map) encodePage(i int) []byte {
	p, open, ahead := &m.pages[i], run{}, pair{}
	if i == len(m.pages)-1 {
		end := m.recordsEnd()
		open, ahead = m.open, pair{m.covered[src] - end[src], m.covered[dst] - end[dst]}
	}
	flags := byte(0)
	if i == 0 {
		flags = flagFirst
		if m.complete {
			flags |= flagKnown
		}
	}
	b := append(make([]byte, 0, len(p.runs)+64), version, flags)
	for _, v := range []int64{p.start[src], p.start[dst], p.stride, ahead[src], ahead[dst]} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	b = append(b, p.runs...)
	if open.n > 0 {
		b = packRun(b, p.end, open)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// stored is a page as it was read back.
type stored struct {
	page
	flags   byte
	covered pair
}

// decodePage checks everything: version, checksum, every number, every run.
func decodePage(b []byte) (stored, error) {
	if len(b) > 0 && b[0] > version {
		return stored{}, fmt.Errorf("version %d: %w", b[0], ErrFuture)
	}
	if len(b) < 2+checksumLen || b[0] != version || b[1]&^flagsOfV1 != 0 {
		return stored{}, fmt.Errorf("head of the page: %w", ErrCorrupt)
	}
	body, sum := b[:len(b)-checksumLen], b[len(b)-checksumLen:]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(sum) {
		return stored{}, fmt.Errorf("checksum of the page: %w", ErrCorrupt)
	}
	c := cursor{rest: body[2:]}
	s := stored{flags: b[1]}
	s.start = pair{c.number(), c.number()}
	s.stride = c.number()
	ahead := pair{c.number(), c.number()}
	s.runs = bytes.Clone(c.rest)
	c.prev = s.start
	for ok := true; ok; {
		s.note(c.prev, len(s.runs)-len(c.rest))
		_, ok = c.next()
	}
	s.end = c.prev
	s.covered = pair{s.end[src] + ahead[src], s.end[dst] + ahead[dst]}
	if c.bad || s.covered[src] > MaxOffset || s.covered[dst] > MaxOffset {
		return stored{}, fmt.Errorf("numbers of the page: %w", ErrCorrupt)
	}
	return s, nil
}

// Encode returns the whole map in one piece.
func (m *Map) Encode() []byte {
	b := []byte{version}
	for i := range m.pages {
		p := m.encodePage(i)
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	return b
}

// Decode reads what Encode wrote. It returns ErrCorrupt or ErrFuture.
func Decode(b []byte) (*Map, error) {
	if len(b) == 0 || b[0] != version {
		return nil, fmt.Errorf("head of the map: %w", ErrCorrupt)
	}
	var pages []Page
	for b = b[1:]; len(b) > 0; {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, fmt.Errorf("length of a page: %w", ErrCorrupt)
		}
		data := b[n : n+int(size)]
		b = b[n+int(size):]
		s, err := decodePage(data)
		if err != nil {
			return nil, err
		}
		pages = append(pages, Page{Start: Source(s.start[src]), Data: data})
	}
	return Load(pages)
}
