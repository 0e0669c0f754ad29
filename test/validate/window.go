package validate

// stream returns the next entry of a log, and false after the last.
type stream func() (entry, bool, error)

// window is a stream that can be looked into ahead of where it is read. Where sequences differ, what was looked at is indexed by
// fingerprint.
type window struct {
	next  stream
	ended bool
	queue []entry
	spare []entry                 // the queue's memory, for when it is empty
	base  int64                   // entries that were taken
	index map[fingerprint][]int64 // places, counted from the stream's first, in order
}

// at returns the entry i ahead, or false where the stream ends before it.
func (w *window) at(i int) (entry, bool, error) {
	for len(w.queue) <= i {
		if w.ended {
			return entry{}, false, nil
		}
		e, ok, err := w.next()
		if err != nil {
			return entry{}, false, err
		}
		if !ok {
			w.ended = true
			continue
		}
		if len(w.queue) == 0 {
			w.queue = w.spare[:0]
		}
		w.queue = append(w.queue, e)
		if len(w.queue) == 1 {
			w.spare = w.queue
		}
	}
	return w.queue[i], true, nil
}

// take removes the next n entries. They are valid until the next call of at.
func (w *window) take(n int) []entry {
	taken := w.queue[:n]
	for i, e := range taken {
		if places := w.index[e.print]; len(places) > 0 && places[0] == w.base+int64(i) {
			w.forget(e.print, places)
		}
	}
	w.queue = w.queue[n:]
	w.base += int64(n)
	return taken
}

func (w *window) forget(mark fingerprint, places []int64) {
	if len(places) == 1 {
		delete(w.index, mark)
		return
	}
	w.index[mark] = places[1:]
}

// learn indexes the entry i ahead. Entries are learnt in their order.
func (w *window) learn(i int) {
	if w.index == nil {
		w.index = make(map[fingerprint][]int64)
	}
	mark := w.queue[i].print
	w.index[mark] = append(w.index[mark], w.base+int64(i))
}

// find returns how far ahead the first indexed entry with a fingerprint is.
func (w *window) find(mark fingerprint) (int, bool) {
	places := w.index[mark]
	if len(places) == 0 {
		return 0, false
	}
	return int(places[0] - w.base), true
}
