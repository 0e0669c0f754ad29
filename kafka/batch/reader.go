package batch

// keepBuffer is the capacity of a buffer, in bytes, up to which a Reader or Builder keeps it for the next batch.
const keepBuffer = 8 << 20

// Reader yields the records of one batch after another, of any format and codec, and checks all that it reads. It decompresses
// into a buffer of its own and allocates nothing for a record. It is for one goroutine.
//
//	for r.Next() { use(r.Record()) }
//	if err := r.Err(); err != nil { ... }
type Reader struct {
	decompressor
	buf []byte // decompressed or converted records
	old []byte // decompressed messages of an old format

	batch      Batch
	records    []byte // not read yet
	base       int64  // what offset deltas count from
	baseTime   int64
	appendTime bool // all records have the time of the batch
	last       int32
	count      int32 // records in all
	left       int32 // records not read yet
	delta      int32 // of the last record read
	from       int64
	record     Record
	again      bool // the record was read, but not taken
	err        error
}

// NewReader returns a Reader that refuses batches whose records decompress to more than limit bytes. At rest it holds no more
// than some 8 MiB and the state of the codecs that it has met.
func NewReader(limit int) *Reader {
	return &Reader{decompressor: decompressor{limit: limit}}
}

// Reset begins with another batch, which must not change before the next Reset: records are views on it or on the Reader's buffer.
//
// Errors: *CorruptError; ErrTooLarge (wrapped).
func (r *Reader) Reset(b Batch) error {
	r.buf, r.old = recycle(r.buf), recycle(r.old)
	r.batch, r.records, r.count, r.left, r.delta, r.from = b, nil, 0, 0, -1, 0
	r.record, r.again, r.appendTime = Record{}, false, false
	if len(b) <= magicAt || b.Size() != len(b) {
		r.err = &CorruptError{Offset: -1, Reason: "not a whole batch"}
		return r.err
	}
	if b.Magic() < 2 {
		r.err = r.resetOld()
	} else {
		r.err = r.reset()
	}
	return r.err
}

func (r *Reader) reset() error {
	b := r.batch
	if len(b) < recordsAt {
		return b.corrupt("length %d is below a header's", b.Length())
	}
	r.base, r.baseTime, r.last = b.BaseOffset(), b.BaseTimestamp(), b.LastOffsetDelta()
	r.appendTime = b.LogAppendTime()
	records := []byte(b[recordsAt:])
	if b.Codec() != None && len(records) > 0 {
		var err error
		if r.buf, err = r.decompress(r.buf[:0], records, b.Codec()); err != nil {
			return b.decompressError(err)
		}
		records = r.buf
	}
	if b.Count() < 0 || int64(b.Count())*minRecord > int64(len(records)) {
		return b.corrupt("%d records in %d bytes", b.Count(), len(records))
	}
	r.records, r.count, r.left = records, b.Count(), b.Count()
	return nil
}

// SkipTo leaves out the records below offset, until the next Reset.
func (r *Reader) SkipTo(offset int64) { r.from = offset }

// Next reads the next record, for Record to return. It is false at the end of the batch, and after an error.
func (r *Reader) Next() bool {
	if r.again {
		r.again = false
		return true
	}
	for r.err == nil && r.left > 0 {
		if r.err = r.read(); r.err == nil && r.record.Offset >= r.from {
			return true
		}
	}
	if r.err == nil && len(r.records) > 0 {
		r.err = r.batch.corrupt("%d bytes after the last record", len(r.records))
	}
	return false
}

// Record is the record that Next has read: a view, valid until the next Reset.
func (r *Reader) Record() Record { return r.record }

// Err is what stopped Next before the end of the batch: a *CorruptError.
func (r *Reader) Err() error { return r.err }

// read takes one record off r.records.
func (r *Reader) read() error {
	size, n := varint(r.records)
	if n == 0 || size < minRecord-1 || int(size) > len(r.records)-n {
		return r.batch.corrupt("record %d does not fit in the batch", r.count-r.left)
	}
	record := r.records[n : n+int(size) : n+int(size)]
	timeDelta, n1 := varlong(record[1:])
	if n1 == 0 {
		return r.batch.corrupt("record after offset %d: bad timestamp delta", r.base+int64(r.delta))
	}
	delta, n2 := varint(record[1+n1:])
	if n2 == 0 || delta <= r.delta || delta > r.last {
		return r.batch.corrupt("record after offset %d: bad offset delta", r.base+int64(r.delta))
	}
	body := record[1+n1+n2:]
	if !soundBody(body) {
		return r.batch.corrupt("record at offset %d: bad key, value or headers", r.base+int64(delta))
	}
	r.record = Record{r.base + int64(delta), r.baseTime + timeDelta, record[0], body}
	if r.appendTime {
		r.record.Timestamp = r.batch.MaxTimestamp()
	}
	r.records, r.delta = r.records[int(size)+n:], delta
	r.left--
	return nil
}

// recycle empties a buffer, and drops one that only an unusually large batch has needed.
func recycle(buf []byte) []byte {
	if cap(buf) > keepBuffer {
		return nil
	}
	return buf[:0]
}
