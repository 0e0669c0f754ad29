package batch

import "strconv"

// Codec is how the records of a batch are compressed: the lowest three bits of its attributes.
type Codec int8

// The codecs that Kafka knows.
const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

// String is the codec's name as in Kafka's compression.type.
func (c Codec) String() string {
	switch c {
	case None:
		return "none"
	case Gzip:
		return "gzip"
	case Snappy:
		return "snappy"
	case LZ4:
		return "lz4"
	case Zstd:
		return "zstd"
	default:
		return "codec " + strconv.Itoa(int(c))
	}
}

const (
	codecBits        int16 = 0x07
	logAppendTimeBit int16 = 0x08
	transactionalBit int16 = 0x10
	controlBit       int16 = 0x20
	deleteHorizonBit int16 = 0x40
	knownBits        int16 = 0x7f

	oldAttributesAt = 17 // in formats 0 and 1: one byte, after the magic
)

// Attributes are all attribute bits.
func (b Batch) Attributes() int16 {
	switch b.Magic() {
	case 0:
		return int16(b[oldAttributesAt]) & codecBits // no timestamps, so no type of them
	case 1:
		return int16(b[oldAttributesAt]) & (codecBits | logAppendTimeBit)
	default:
		return b.int16(attributesAt)
	}
}

// Codec is how the records are compressed. Next refuses values above Zstd.
func (b Batch) Codec() Codec { return Codec(b.Attributes() & codecBits) }

// LogAppendTime says that every record has the time at which the broker appended it, which is MaxTimestamp.
func (b Batch) LogAppendTime() bool { return b.Attributes()&logAppendTimeBit != 0 }

// Transactional says that the records belong to a transaction of the producer.
func (b Batch) Transactional() bool { return b.Attributes()&transactionalBit != 0 }

// Control says that the records are Kafka's own, such as the marker at the end of a transaction.
func (b Batch) Control() bool { return b.Attributes()&controlBit != 0 }

// DeleteHorizon says that BaseTimestamp is the time at which the log cleaner may drop the tombstones of the batch (KIP-534).
func (b Batch) DeleteHorizon() bool { return b.Attributes()&deleteHorizonBit != 0 }

// UnknownAttributes are the bits that Kafka 4.3 gives no meaning (7 to 15).
func (b Batch) UnknownAttributes() int16 { return b.Attributes() &^ knownBits }
