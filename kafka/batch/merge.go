package batch

import "fmt"

// Fill appends the records that r has not yielded yet. more says that the batch is full, and that r goes on with the record that
// found no room. After an error the Builder is as it was before the call.
//
// Errors: those of r.Next.
func (b *Builder) Fill(r *Reader) (more bool, err error) {
	before := b.mark()
	for r.Next() {
		if !b.Append(r.Record()) {
			r.again = true
			return true, nil
		}
	}
	if r.Err() != nil {
		b.rewind(before)
	}
	return false, r.Err()
}

// AppendBatch appends all records of src, or none of them if they do not all fit. Without compression that is a copy with other
// deltas; no key, value or header is decoded.
//
// Errors: ErrControl, those of r.Reset and r.Next; the Builder is then as it was before the call.
func (b *Builder) AppendBatch(r *Reader, src Batch) (fits bool, err error) {
	if src.Control() {
		return false, fmt.Errorf("appending the batch at offset %d: %w", src.BaseOffset(), ErrControl)
	}
	if err := r.Reset(src); err != nil {
		return false, err
	}
	before := b.mark()
	more, err := b.Fill(r)
	if more {
		b.rewind(before)
	}
	return err == nil && !more, err
}

// Merge appends batches, which follow each other in one source partition with or without gaps, as long as they are of the
// Builder's codec and fit. It returns how many it took: 0 means that the first is better sent alone. A batch that compaction has
// emptied is taken and adds nothing. The batches before a corrupt one are taken.
//
// Errors: those of AppendBatch, and a *CorruptError for a batch that does not come after the one before it.
func (b *Builder) Merge(r *Reader, batches []Batch) (taken int, err error) {
	for i, src := range batches {
		if src.Codec() != b.codec && !src.empty() {
			return i, nil
		}
		if i > 0 && src.LastOffset() <= batches[i-1].LastOffset() {
			return i, src.corrupt("it comes after offset %d", batches[i-1].LastOffset())
		}
		if fits, err := b.AppendBatch(r, src); !fits {
			return i, err
		}
	}
	return len(batches), nil
}

// empty says that no record is left. The log cleaner stores such a batch uncompressed.
func (b Batch) empty() bool { return b.Magic() == 2 && b.Count() == 0 }
