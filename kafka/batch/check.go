package batch

import "math"

// Check verifies a batch that is about to be produced, record by record, for the broker does not check all of it: false deltas
// inside of a merged batch would be stored, and read as they are.
//
// Errors: *CorruptError; ErrTooLarge (wrapped).
func (r *Reader) Check(b Batch) error {
	whole, rest, err := Next(b)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return b.corrupt("%d bytes after the batch", len(rest))
	}
	if why := CopyReason(whole); why != Copy {
		return b.corrupt("no producer may send it: %s", why)
	}
	if b.BaseOffset() != 0 || b.Attributes() != int16(b.Codec()) || b.ProducerID() >= 0 && b.BaseSequence() < 0 {
		return b.corrupt("base offset %d, attributes %#x, producer id %d, base sequence %d",
			b.BaseOffset(), b.Attributes(), b.ProducerID(), b.BaseSequence())
	}
	return r.checkRecords(b)
}

// checkRecords reads all records. Their offsets rise strictly and there are as many as the range holds, so none is missing.
func (r *Reader) checkRecords(b Batch) error {
	if err := r.Reset(b); err != nil {
		return err
	}
	latest := int64(math.MinInt64)
	for r.Next() {
		latest = max(latest, r.Record().Timestamp)
	}
	if r.Err() == nil && latest != b.MaxTimestamp() {
		return b.corrupt("latest timestamp is %d, stored is %d", latest, b.MaxTimestamp())
	}
	return r.Err()
}
