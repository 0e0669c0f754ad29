package validate

import (
	"cmp"
	"slices"
)

// leftovers are entries of one side that have no equal on the other so far, up to a limit.
type leftovers struct {
	entries map[fingerprint][]entry
	size    int
}

func newLeftovers() leftovers { return leftovers{entries: make(map[fingerprint][]entry)} }

// add returns false where there are too many already.
func (l *leftovers) add(e entry) bool {
	if l.size >= leftoverLimit {
		return false
	}
	l.entries[e.print] = append(l.entries[e.print], e)
	l.size++
	return true
}

// remove takes out the first entry with a fingerprint.
func (l *leftovers) remove(mark fingerprint) (entry, bool) {
	same := l.entries[mark]
	if len(same) == 0 {
		return entry{}, false
	}
	if len(same) == 1 {
		delete(l.entries, mark)
	} else {
		l.entries[mark] = same[1:]
	}
	l.size--
	return same[0], true
}

func (l *leftovers) inOrder() []entry {
	all := make([]entry, 0, l.size)
	for _, same := range l.entries {
		all = append(all, same...)
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.offset, b.offset) })
	return all
}
