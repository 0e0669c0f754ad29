package admin

import "time"

// spell is for how long a problem is there.
type spell struct{ since, seen time.Time }

type problemKey struct{ where, code, of string }

// forgive is for how long a problem may be away and still be the same one: what is tried again may look well for a moment.
const forgive = 5 * time.Second

// date says of each problem since when it is there, and forgets those that are over.
func (k *tracker) date(now time.Time, ps []Problem) {
	for i := range ps {
		key := problemKey{ps[i].Where, ps[i].Code, ps[i].Of}
		s, there := k.spells[key]
		if !there {
			s.since = now
		}
		s.seen = now
		k.spells[key] = s
		ps[i].Since = &s.since
	}
	for key, s := range k.spells {
		if now.Sub(s.seen) > forgive {
			delete(k.spells, key)
		}
	}
}
