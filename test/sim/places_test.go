package sim

import (
	"math"
	"slices"
	"sort"

	"github.com/meshd/meshd/loop"
)

// places is a cluster's map of one origin partition: which record lies where, of those that the origin's writer wrote there.
type places struct {
	list   []place
	cover  int64 // up to where the log is known
	leader int32 // the leader epoch at that time
	hole   bool  // it was made anew of a log that did not begin at 0 any more
}

type place struct {
	offset int64
	at     loop.Coordinate
}

func (m *places) clone() *places {
	c := *m
	c.list = slices.Clone(m.list)
	return &c
}

func (m *places) add(offset int64, at loop.Coordinate) {
	m.list = append(m.list, place{offset, at})
	m.cover = max(m.cover, offset+1)
}

// behind is the index of the first place at an offset or behind it.
func (m *places) behind(offset int64) int {
	return sort.Search(len(m.list), func(i int) bool { return m.list[i].offset >= offset })
}

func (m *places) truncate(to int64) {
	m.list = slices.Clip(m.list[:m.behind(to)])
	m.cover = min(m.cover, to)
}

func (m *places) wrote(offset int64) bool {
	i := m.behind(offset)
	return i < len(m.list) && m.list[i].offset == offset
}

// lost says whether a log that begins at start may have held, before that, a record above the frontier; and the first coordinate that it
// still holds then.
func (m *places) lost(start int64, here, frontier loop.Coordinate) (first loop.Coordinate, lost bool) {
	i := m.behind(start)
	switch {
	case i == 0 && !m.hole, i > 0 && m.list[i-1].at.Less(here):
		return here, false
	case i < len(m.list):
		return m.list[i].at, here.Less(m.list[i].at)
	}
	return frontier, here.Less(frontier)
}

// find says where in the log what comes at here or behind it begins, at the latest. An offset map alone knows the last of several records that
// had an offset: what it says is good as long as no later leader epoch came into it.
func (m *places) find(here loop.Coordinate, byOffset bool) int64 {
	n := len(m.list)
	if n == 0 || m.list[n-1].at.Incarnation != here.Incarnation || m.list[n-1].at.Epoch > here.Epoch && !byOffset {
		return 0
	}
	at, least := m.list[n-1].offset+1, int64(math.MaxInt64)
	for _, x := range slices.Backward(m.list) {
		if x.at.Incarnation != here.Incarnation {
			break
		}
		if x.at.Offset >= here.Offset && x.at.Offset < least { // else the map was cut, and forgot it
			at = x.offset
		}
		least = min(least, x.at.Offset)
	}
	return at
}
