package batch

import (
	"encoding/binary"
)

// Places of the header's fields, in bytes from a batch's beginning. Up to and with the magic they are the same in the formats 0
// and 1, where the message's own fields follow.
const (
	lengthAt          = 8
	leaderEpochAt     = 12
	magicAt           = 16
	crcAt             = 17
	attributesAt      = 21 // the CRC covers everything from here
	lastOffsetDeltaAt = 23
	baseTimestampAt   = 27
	maxTimestampAt    = 35
	producerIDAt      = 43
	producerEpochAt   = 51
	baseSequenceAt    = 53
	countAt           = 57
	recordsAt         = 61

	logOverhead = 12 // base offset and length, which the length does not count
)

// Batch is a view on one whole record batch of magic 2, or on one message of the older formats 0 and 1, whose only valid
// accessors are Magic, Size, BaseOffset, LastOffset, NextOffset, Attributes and what they hold, and those of the producer. Next checks what it returns; accessors check nothing.
type Batch []byte

// BaseOffset is the offset of the first record that the batch was written with.
func (b Batch) BaseOffset() int64 { return b.int64(0) }

// Length is the number of bytes after the length field.
func (b Batch) Length() int32 { return b.int32(lengthAt) }

// Size is the number of bytes that the batch says it has in all. It needs the first 12 bytes only.
func (b Batch) Size() int { return logOverhead + int(b.Length()) }

// PartitionLeaderEpoch is the epoch of the leader that appended the batch; -1 before a broker has.
func (b Batch) PartitionLeaderEpoch() int32 { return b.int32(leaderEpochAt) }

// Magic is the version of the format.
func (b Batch) Magic() int8 { return int8(b[magicAt]) }

// CRC is the stored CRC-32C of everything from the attributes on.
func (b Batch) CRC() uint32 { return binary.BigEndian.Uint32(b[crcAt:]) }

// LastOffsetDelta is the last offset that the batch was written with, less BaseOffset. Compaction keeps it.
func (b Batch) LastOffsetDelta() int32 { return b.int32(lastOffsetDeltaAt) }

// BaseTimestamp is what the timestamp deltas of the records count from, in milliseconds: the timestamp of the first record, or
// the delete horizon where there is one.
func (b Batch) BaseTimestamp() int64 { return b.int64(baseTimestampAt) }

// MaxTimestamp is the highest timestamp of a record, in milliseconds; with LogAppendTime, the timestamp of every record.
func (b Batch) MaxTimestamp() int64 { return b.int64(maxTimestampAt) }

// ProducerID is -1 where the producer is not idempotent, as none of the older formats' is.
func (b Batch) ProducerID() int64 {
	if b.Magic() < 2 {
		return -1
	}
	return b.int64(producerIDAt)
}

// ProducerEpoch is -1 where the producer is not idempotent.
func (b Batch) ProducerEpoch() int16 {
	if b.Magic() < 2 {
		return -1
	}
	return b.int16(producerEpochAt)
}

// BaseSequence is the sequence of the first record; -1 where the producer is not idempotent, and in control batches.
func (b Batch) BaseSequence() int32 {
	if b.Magic() < 2 {
		return -1
	}
	return b.int32(baseSequenceAt)
}

// Count is the number of records in the batch; after compaction it can be anything from 0 up.
func (b Batch) Count() int32 { return b.int32(countAt) }

// LastOffset is the last offset that the batch covers.
func (b Batch) LastOffset() int64 {
	if b.Magic() < 2 {
		return b.BaseOffset() // a message carries its own offset, a compressed set of them the last one of its set
	}
	return b.BaseOffset() + int64(b.LastOffsetDelta())
}

// NextOffset is the offset after the last one that the batch covers.
func (b Batch) NextOffset() int64 { return b.LastOffset() + 1 }

func (b Batch) int16(at int) int16 { return int16(binary.BigEndian.Uint16(b[at:])) }
func (b Batch) int32(at int) int32 { return int32(binary.BigEndian.Uint32(b[at:])) }
func (b Batch) int64(at int) int64 { return int64(binary.BigEndian.Uint64(b[at:])) }
