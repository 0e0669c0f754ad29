package batch

import "math"

const (
	minRecord  = 7  // a record of null key, null value, no headers: seven fields of a byte each
	minOld     = 14 // a message of format 0, without offset and length, key and value
	minOldTime = 22 // the same in format 1, which has a timestamp
)

// Next splits the first batch off data and checks it: bounds, magic, CRC, codec, and that count, offsets and length can be true
// together. What is inside compressed records is for the Reader to check.
//
// Errors: ErrPartial, or a *CorruptError. Where a corrupt batch's end is known, b and rest are returned beside the error, so that
// a caller can step over it; b's fields are then no more than claims. Else both are nil.
func Next(data []byte) (b Batch, rest []byte, err error) {
	if len(data) < logOverhead {
		return nil, nil, ErrPartial
	}
	b = Batch(data)
	if b.Length() < minOld {
		return nil, nil, b.corrupt("length %d is below any batch's", b.Length())
	}
	if len(data) <= magicAt {
		return nil, nil, ErrPartial
	}
	if b.Magic() < 0 || b.Magic() > 2 {
		return nil, nil, b.corrupt("unknown magic %d", b.Magic())
	}
	if int(b.Length()) > len(data)-logOverhead {
		return nil, nil, ErrPartial
	}
	size := b.Size()
	b, rest = Batch(data[:size:size]), data[size:]
	if b.BaseOffset() < 0 {
		return b, rest, b.corrupt("negative base offset")
	}
	if b.Magic() < 2 {
		return b, rest, b.checkOld()
	}
	return b, rest, b.check()
}

// check is everything that can be told of a batch of magic 2 without reading its records.
func (b Batch) check() error {
	if len(b) < recordsAt {
		return b.corrupt("length %d is below a header's", b.Length())
	}
	if crc := checksum(b); crc != b.CRC() {
		return b.corrupt("CRC is %08x, stored is %08x", crc, b.CRC())
	}
	if b.Codec() > Zstd {
		return b.corrupt("unknown codec %d", int8(b.Codec()))
	}
	last, count := b.LastOffsetDelta(), b.Count()
	if last < 0 || b.BaseOffset() > math.MaxInt64-1-int64(last) {
		return b.corrupt("last offset delta %d", last)
	}
	if count < 0 || int64(count) > int64(last)+1 {
		return b.corrupt("%d records in a range of %d", count, int64(last)+1)
	}
	if b.Codec() == None && int64(count)*minRecord > int64(len(b)-recordsAt) {
		return b.corrupt("%d records in %d bytes", count, len(b)-recordsAt)
	}
	return nil
}

// checkOld is the same for a message of the formats 0 and 1.
func (b Batch) checkOld() error {
	if b.Magic() == 1 && b.Length() < minOldTime {
		return b.corrupt("length %d is below a message's", b.Length())
	}
	if b.BaseOffset() == math.MaxInt64 {
		return b.corrupt("no offset follows")
	}
	if b.Codec() > LZ4 { // zstd came with magic 2
		return b.corrupt("unknown codec %d", int8(b.Codec()))
	}
	if _, _, err := parseOld(b); err != nil {
		return b.corrupt("%s", err)
	}
	return nil
}
