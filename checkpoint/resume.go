package checkpoint

import (
	"fmt"
	"sort"

	"github.com/meshd/meshd/offsetxlate"
)

// Batch is what a batch in a destination's log says of itself.
type Batch struct {
	Base     offsetxlate.Dest
	Count    int32
	Sequence int32 // of its first record: the epoch's count of records before it, modulo 2^31
}

// Copied is a stretch of records as it lies on both sides.
type Copied struct {
	Source offsetxlate.Source
	Dest   offsetxlate.Dest
	Count  int64
}

// SourceOf returns the source offset of record number n of the epoch.
func (p Progress) SourceOf(n int64) offsetxlate.Source {
	r := p.RunOf(n)
	return r.Source + offsetxlate.Source(n-r.Written)
}

// RunOf returns the run in which record number n of the epoch lies.
func (p Progress) RunOf(n int64) Run {
	if i := p.runAfter(n); i > 0 {
		return p.Ahead[i-1]
	}
	return Run{p.Written, p.Source, p.SourceEpoch}
}

// runAfter is the index of the first run that begins after record number n.
func (p Progress) runAfter(n int64) int {
	if l := len(p.Ahead); l == 0 || p.Ahead[l-1].Written <= n {
		return l // most callers ask about the end
	}
	return sort.Search(len(p.Ahead), func(i int) bool { return p.Ahead[i].Written > n })
}

// Advance moves the place to record number n, the next one to be acknowledged, and forgets the runs behind it.
func (p *Progress) Advance(n int64, dest offsetxlate.Dest) {
	source, epoch, i := p.SourceOf(n), p.RunOf(n).Epoch, p.runAfter(n)
	p.Ahead = append([]Run(nil), p.Ahead[i:]...)
	p.Written, p.Source, p.SourceEpoch, p.Dest = n, source, epoch, dest
}

// Resume says where the records go on after tail, the batches of p's epoch that lie behind p.Dest in the destination's log, in
// the order of the log: the next source offset, and what the tail holds. It is a look-up, not a guess: a tail that goes back is an error,
// for something else wrote under this epoch then. What the tail leaves out compaction took: a log loses nothing from its middle otherwise.
func (p Progress) Resume(tail []Batch) (next offsetxlate.Source, written int64, copied []Copied, err error) {
	written = p.Written
	for _, b := range tail {
		n := unwrap(written, b.Sequence)
		if n < written {
			return 0, 0, nil, fmt.Errorf("the batch at offset %d of the destination begins with record %d of its epoch, not %d", b.Base, n, written)
		}
		copied = p.appendRuns(copied, b, n)
		written = n + int64(b.Count)
	}
	return p.SourceOf(written), written, copied, nil
}

// Unwrap is the count of records that a sequence number of the epoch stands for, next to Written.
func (p Progress) Unwrap(seq int32) int64 { return unwrap(p.Written, seq) }

// appendRuns cuts a batch where its records stop being neighbours at the source.
func (p Progress) appendRuns(copied []Copied, b Batch, first int64) []Copied {
	end := first + int64(b.Count)
	for n := first; n < end; {
		stop := end
		if i := p.runAfter(n); i < len(p.Ahead) {
			stop = min(stop, p.Ahead[i].Written)
		}
		copied = append(copied, Copied{p.SourceOf(n), b.Base + offsetxlate.Dest(n-first), stop - n})
		n = stop
	}
	return copied
}

// unwrap finds the count next to near whose lower 31 bits are seq.
func unwrap(near int64, seq int32) int64 {
	const span = int64(1) << 31
	d := (int64(seq) - near) % span
	if d < 0 {
		d += span
	}
	if d >= span/2 {
		d -= span
	}
	return near + d
}
