package batch

import (
	"encoding/binary"
	"math/bits"
)

// Lengths, counts and deltas are zigzag varints: Kafka's protocol guide, "Varint" and "Varlong".

// varint reads an int32 and the number of bytes that it takes; 0 bytes where it is cut off or longer than an int32's.
func varint(b []byte) (v int32, n int) {
	if len(b) > 0 && b[0] < 0x80 {
		return int32(b[0]>>1) ^ -int32(b[0]&1), 1
	}
	return longVarint(b)
}

func longVarint(b []byte) (v int32, n int) {
	wide, n := varlong(b)
	if n > 5 || wide != int64(int32(wide)) {
		return 0, 0
	}
	return int32(wide), n
}

// varlong is varint for an int64.
func varlong(b []byte) (v int64, n int) {
	u, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, 0
	}
	return int64(u>>1) ^ -int64(u&1), n
}

func appendVarint(dst []byte, v int32) []byte { return appendVarlong(dst, int64(v)) }

func appendVarlong(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v)<<1^uint64(v>>63))
}

// varintSize is the number of bytes that appendVarlong takes for v.
func varintSize(v int64) int {
	return (bits.Len64((uint64(v)<<1^uint64(v>>63))|1) + 6) / 7
}
