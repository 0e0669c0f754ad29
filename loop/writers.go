package loop

import "fmt"

// Tick orders what was fetched and what was read of a registry: the caller raises it by one when a fetch's answer has arrived, and when a
// reading of a registry begins.
type Tick int64

// Writers is what is known of the registry of writers of one cluster. A writer is registered before its first batch is anywhere; so a
// producer id of a batch that had been fetched before a reading began, and that this reading did not find, is nobody's writer.
type Writers struct {
	known  map[int64]Origin // a writer's origin; local: judged behind a barrier
	met    map[int64]Tick   // when a batch of an unknown producer id had been fetched for the first time: the same batch may be fetched again
	locals int
	asOf   Tick
	lost   bool
	twice  bool
}

const local Origin = -1

// maxLocals bounds what is remembered of applications' producer ids. Who is forgotten is judged again.
const maxLocals = 1 << 14

// NewWriters is a registry of which nothing was read.
func NewWriters() *Writers {
	return &Writers{known: map[int64]Origin{}, met: map[int64]Tick{}, asOf: -1}
}

// Register notes what the registry says. A producer id of two origins is an error, and what it wrote is judged no more.
func (w *Writers) Register(id int64, o Origin) error {
	was, ok := w.known[id]
	switch {
	case ok && was == local:
		w.lost = true // it was not there when the barrier was behind its batch
		return fmt.Errorf("producer id %d was registered after its first batch", id)
	case ok && was != o:
		w.twice = true
		return fmt.Errorf("producer id %d is registered for two origins", id)
	}
	w.known[id] = o
	return nil
}

// ReadSince says that all is registered here that was in the registry when a reading began at tick.
func (w *Writers) ReadSince(t Tick) {
	w.asOf = max(w.asOf, t)
	for id, first := range w.met {
		if first < w.asOf {
			w.settle(id)
		}
	}
}

// settle notes that a producer id which was met before the last reading is nobody's writer, unless it is one.
func (w *Writers) settle(id int64) {
	delete(w.met, id)
	if _, ok := w.known[id]; ok {
		return
	}
	if w.locals++; w.locals > maxLocals {
		w.forgetLocals()
	}
	w.known[id] = local
}

// Lose says that the registry is not the one that was read before, or went back. Nothing can be judged until it is rebuilt, and then
// with a new Writers.
func (w *Writers) Lose() { w.lost = true }

// Lost says whether nothing can be judged any more.
func (w *Writers) Lost() bool { return w.lost || w.twice }

// whose says who wrote a batch with a producer id that was fetched at a tick: a writer of an origin, or an application (local). known is
// false where the registry must be read first.
func (w *Writers) whose(id int64, fetched Tick) (o Origin, known bool) {
	if id < 0 {
		return local, true
	}
	if o, ok := w.known[id]; ok {
		return o, true
	}
	if w.asOf > fetched {
		w.settle(id)
		return local, true
	}
	if _, ok := w.met[id]; !ok {
		w.met[id] = fetched
	}
	return local, false
}

func (w *Writers) forgetLocals() {
	for id, o := range w.known {
		if o == local {
			delete(w.known, id)
		}
	}
	w.locals = 1
}
