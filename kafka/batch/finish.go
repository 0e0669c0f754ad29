package batch

import (
	"encoding/binary"
	"fmt"
)

// Finish compresses the records and returns the batch, which is the caller's from here on; nil if there is no record. Where
// compression gains nothing the batch is left uncompressed, so that it never outgrows the limit of Reset by more than a single
// record does.
func (b *Builder) Finish(producerID int64, epoch int16, baseSequence int32) (Batch, error) {
	if b.count == 0 {
		return nil, nil
	}
	out, codec, err := b.pack()
	if err != nil {
		return nil, fmt.Errorf("compressing with %s: %w", b.codec, err)
	}
	h := Batch(out)
	h.putUint32(lengthAt, uint32(len(h)-logOverhead))
	binary.BigEndian.PutUint16(h[attributesAt:], uint16(codec))
	h.putUint32(lastOffsetDeltaAt, uint32(b.count-1))
	binary.BigEndian.PutUint64(h[baseTimestampAt:], uint64(b.baseTime))
	binary.BigEndian.PutUint64(h[maxTimestampAt:], uint64(b.maxTime))
	h.putProducer(producerID, epoch, baseSequence)
	h.putUint32(countAt, uint32(b.count))
	h.putUint32(crcAt, checksum(h))
	return h, nil
}

// pack returns the batch with its records in their final form, in the caller's buffer.
func (b *Builder) pack() (out []byte, codec Codec, err error) {
	out = b.dst
	b.dst = nil
	if b.codec == None {
		out, b.plain = b.plain, nil
		return out, None, nil
	}
	out = append(out, b.plain[:recordsAt]...)
	if out, err = b.compress(out, b.plain[recordsAt:], b.codec); err != nil {
		return nil, None, err
	}
	if len(out) >= len(b.plain) {
		return append(out[:0], b.plain...), None, nil
	}
	return out, b.codec, nil
}
