package batch

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

// Places in a message of format 0 or 1 after offset and length (Kafka's class LegacyRecord): CRC, magic, attributes, in format 1
// the timestamp, then key and value, each after an int32 of its length.
const (
	oldCRCAt  = 12
	oldTimeAt = 18
)

// oldMessage is one message of format 0 or 1.
type oldMessage struct {
	offset     int64
	timestamp  int64 // -1 in format 0
	attributes byte
	key, value []byte
}

func (m oldMessage) codec() Codec { return Codec(int16(m.attributes) & codecBits) }

var errMessage = errors.New("a message does not fit in its set")

// parseOld splits one message off b and checks its bounds and CRC.
func parseOld(b []byte) (m oldMessage, rest []byte, err error) {
	if len(b) < logOverhead+minOld {
		return m, nil, errMessage
	}
	size := int(Batch(b).Length())
	magic := Batch(b).Magic()
	if size < minOld || size > len(b)-logOverhead || magic != 0 && (magic != 1 || size < minOldTime) {
		return m, nil, errMessage
	}
	b, rest = b[:logOverhead+size], b[logOverhead+size:]
	if binary.BigEndian.Uint32(b[oldCRCAt:]) != crc32.ChecksumIEEE(b[magicAt:]) {
		return m, nil, errors.New("a message's CRC is wrong")
	}
	m = oldMessage{offset: Batch(b).BaseOffset(), timestamp: -1, attributes: b[oldAttributesAt]}
	fields := b[oldTimeAt:]
	if magic == 1 {
		m.timestamp, fields = Batch(b).int64(oldTimeAt), fields[8:]
	}
	var ok1, ok2 bool
	m.key, fields, ok1 = oldField(fields)
	m.value, fields, ok2 = oldField(fields)
	if !ok1 || !ok2 || len(fields) > 0 {
		return m, nil, errMessage
	}
	return m, rest, nil
}

func oldField(b []byte) (value, rest []byte, ok bool) {
	size, rest, ok := uint32At(b)
	if !ok || int32(size) < 0 {
		return nil, rest, ok // a negative length is null
	}
	if uint64(size) > uint64(len(rest)) {
		return nil, nil, false
	}
	return rest[:size:size], rest[size:], true
}

func uint32At(b []byte) (v uint32, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(b), b[4:], true
}

// resetOld converts a message, or the compressed set of messages that it wraps, into records in r.buf.
func (r *Reader) resetOld() error {
	b := r.batch
	wrapper, _, err := parseOld(b)
	if err != nil {
		return b.corrupt("%s", err)
	}
	r.last, r.baseTime = math.MaxInt32, 0
	if wrapper.codec() == None {
		r.base = wrapper.offset
		return r.convertOld(wrapper, wrapper.offset)
	}
	if wrapper.codec() > LZ4 { // zstd came with magic 2
		return b.corrupt("unknown codec %d", int8(wrapper.codec()))
	}
	if r.old, err = r.decompress(r.old[:0], wrapper.value, wrapper.codec()); err != nil {
		return b.decompressError(err)
	}
	return r.convertOldSet(wrapper, r.old)
}

// convertOldSet converts the messages of a compressed set. In format 1 their offsets are relative, and the wrapper carries the
// last one's (KIP-31); where the wrapper has LogAppendTime, its timestamp is that of all (KIP-32).
func (r *Reader) convertOldSet(wrapper oldMessage, set []byte) error {
	b := r.batch
	first, last, err := oldRange(set)
	if err != nil {
		return b.corrupt("%s", err)
	}
	shift := int64(0)
	if b.Magic() == 1 {
		shift = wrapper.offset - last
	}
	r.base = first + shift
	if first < 0 || last < first || r.base < 0 || last+shift > wrapper.offset {
		return b.corrupt("a set of messages from %d to %d", first, last)
	}
	for len(set) > 0 {
		var m oldMessage
		m, set, _ = parseOld(set) // oldRange has been through it
		if m.codec() != None {
			return b.corrupt("a compressed message in a compressed set")
		}
		if m.timestamp != -1 && b.LogAppendTime() {
			m.timestamp = wrapper.timestamp
		}
		if err := r.convertOld(m, m.offset+shift); err != nil {
			return err
		}
	}
	return nil
}

// oldRange checks the messages of a set and returns the offsets of the first and the last.
func oldRange(set []byte) (first, last int64, err error) {
	m, rest, err := parseOld(set)
	first = m.offset
	for err == nil && len(rest) > 0 {
		m, rest, err = parseOld(rest)
	}
	return first, m.offset, err
}

// convertOld appends a message to r.buf as a record that read understands, with deltas from r.base and r.baseTime.
func (r *Reader) convertOld(m oldMessage, offset int64) error {
	delta := offset - r.base
	if delta < 0 || delta > math.MaxInt32 {
		return r.batch.corrupt("offset %d in a set that begins at %d", offset, r.base)
	}
	size := fieldSize(m.key) + fieldSize(m.value) + 1
	r.buf = appendHead(r.buf, 0, m.timestamp-r.baseTime, int32(delta), size)
	r.buf = append(appendField(appendField(r.buf, m.key), m.value), 0) // no headers
	r.records, r.count, r.left = r.buf, r.count+1, r.left+1
	return nil
}
