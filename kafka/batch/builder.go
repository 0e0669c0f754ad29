package batch

import "math"

// Run is a piece of a built batch whose source offsets have no gap: Count records from Offset on.
type Run struct {
	Offset int64
	Count  int32
}

// Builder makes one batch after another from records. Offsets begin at 0 and have no gaps, whatever the records had at their
// source; Runs tells what that was. It is for one goroutine, and allocates nothing where the buffers that it is given suffice. At
// rest it holds no more than some 8 MiB and the state of the codecs that it has written.
type Builder struct {
	compressor
	codec    Codec
	limit    int
	dst      []byte // the caller's buffer, which the finished batch is in
	plain    []byte // the batch, not compressed; with codec None it is in dst
	count    int32
	baseTime int64
	maxTime  int64
	runs     []Run
}

// NewBuilder returns a Builder, to be Reset before use.
func NewBuilder() *Builder { return new(Builder) }

// emptyHeader has base offset 0, leader epoch -1 and magic 2; Finish writes the other fields.
var emptyHeader = [recordsAt]byte{
	leaderEpochAt: 0xff, leaderEpochAt + 1: 0xff, leaderEpochAt + 2: 0xff, leaderEpochAt + 3: 0xff, magicAt: 2,
}

// Reset begins a batch with the given codec and of at most limit bytes, counted before compression. The batch is built in dst,
// from its first byte on, or in a larger slice where its capacity is too small; with Finish the Builder lets go of it.
func (b *Builder) Reset(dst []byte, codec Codec, limit int) {
	b.codec, b.limit, b.dst = codec, limit, dst[:0]
	b.count, b.runs = 0, b.runs[:0]
	b.plain = recycle(b.plain)
	if codec == None {
		b.plain = b.dst
	}
	b.plain = append(b.plain, emptyHeader[:]...)
}

// Len is the number of records so far.
func (b *Builder) Len() int32 { return b.count }

// Size is the number of bytes so far, not compressed.
func (b *Builder) Size() int { return len(b.plain) }

// Runs are the source offsets of the records, in the order of the records. They are valid until the next Reset.
func (b *Builder) Runs() []Run { return b.runs }

// Append adds a record with its timestamp, attributes and Body, and says whether it did: false means that the batch is full. A
// batch takes its first record whatever its size.
func (b *Builder) Append(r Record) bool {
	if !b.begin(r, len(r.Body)) {
		return false
	}
	b.plain = append(b.plain, r.Body...)
	return true
}

// begin writes what stands before a body of the given size, if there is room for both.
func (b *Builder) begin(r Record, body int) bool {
	if b.count == 0 {
		b.baseTime, b.maxTime = r.Timestamp, r.Timestamp
	}
	timeDelta := r.Timestamp - b.baseTime
	if b.count > 0 && len(b.plain)+recordSize(timeDelta, b.count, body) > b.limit || b.count == math.MaxInt32 {
		return false
	}
	b.plain = appendHead(b.plain, r.Attributes, timeDelta, b.count, body)
	b.maxTime = max(b.maxTime, r.Timestamp)
	b.count++
	b.note(r.Offset)
	return true
}

// note adds a source offset to the runs.
func (b *Builder) note(offset int64) {
	if len(b.runs) > 0 && b.next() == offset {
		b.runs[len(b.runs)-1].Count++
		return
	}
	b.runs = append(b.runs, Run{Offset: offset, Count: 1})
}

// next is the source offset after the last record's.
func (b *Builder) next() int64 {
	last := b.runs[len(b.runs)-1]
	return last.Offset + int64(last.Count)
}

// mark is a state of a Builder to go back to.
type mark struct {
	size, runs      int
	count, runCount int32
	maxTime         int64
}

func (b *Builder) mark() mark {
	m := mark{size: len(b.plain), runs: len(b.runs), count: b.count, maxTime: b.maxTime}
	if m.runs > 0 {
		m.runCount = b.runs[m.runs-1].Count
	}
	return m
}

func (b *Builder) rewind(m mark) {
	b.plain, b.runs, b.count, b.maxTime = b.plain[:m.size], b.runs[:m.runs], m.count, m.maxTime
	if m.runs > 0 {
		b.runs[m.runs-1].Count = m.runCount
	}
}
