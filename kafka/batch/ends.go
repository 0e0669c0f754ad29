package batch

import "math"

// Ends returns the first and the last record of the batch, between Reset and the first Next, which then begins with the first record
// all the same; SkipTo does not matter. Between the two it goes by the records' lengths, and what else is there is not looked at: it
// is for a batch that is copied whole if its ends allow it. Both are zero where the batch has no record.
//
// Errors: *CorruptError.
func (r *Reader) Ends() (first, last Record, err error) {
	if r.err != nil {
		return first, last, r.err
	}
	records, left, delta := r.records, r.left, r.delta
	first, last, err = r.ends()
	r.records, r.left, r.delta, r.record = records, left, delta, Record{}
	if err != nil {
		return Record{}, Record{}, err
	}
	return first, last, nil
}

func (r *Reader) ends() (first, last Record, err error) {
	if r.left > 0 {
		err = r.read()
		first = r.record
	}
	if err == nil && r.left > 0 {
		if err = r.toLast(); err == nil {
			err = r.read()
		}
	}
	if err == nil && len(r.records) > 0 {
		err = r.batch.corrupt("%d bytes after the last record", len(r.records))
	}
	return first, r.record, err
}

// toLast steps from the second record to the last.
func (r *Reader) toLast() error {
	rest := r.records
	for i := range r.left - 1 {
		size, n := varint(rest)
		if n == 0 || size < minRecord-1 || int(size) > len(rest)-n {
			return r.batch.corrupt("record %d does not fit in the batch", 1+i)
		}
		rest = rest[n+int(size):]
	}
	// Offsets rise by one at least, so that of the record before the last is known to be no lower than this.
	r.delta = int32(min(int64(r.delta)+int64(r.left)-1, math.MaxInt32))
	r.records, r.left = rest, 1
	return nil
}
