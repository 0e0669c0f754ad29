package batch

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/pierrec/lz4/v4"
)

// LZ4's frame format, version 1, as far as Kafka uses it (github.com/lz4/lz4, doc/lz4_Frame_format.md; Kafka's class
// Lz4BlockInputStream): independent blocks, no dictionary. Checksums are skipped: the batch has one.
const (
	lz4Magic           = 0x184D2204
	lz4Version         = 0x40 // with its mask below; the descriptor's first byte, "FLG"
	lz4VersionMask     = 0xc0
	lz4Independent     = 0x20
	lz4BlockChecksum   = 0x10
	lz4ContentSize     = 0x08
	lz4ContentChecksum = 0x04
	lz4ReservedMask    = 0x03 // reserved, and a dictionary's id
	lz4Stored          = 1 << 31
	lz4BlockSize       = 64 << 10
)

// lz4Header is what Java's client begins a frame with: magic, version 1 with independent blocks, blocks of 64 KiB at most, and
// the checksum of these two bytes.
var lz4Header = []byte{0x04, 0x22, 0x4d, 0x18, lz4Version | lz4Independent, 0x40, 0x82}

var errLZ4 = errors.New("bad frame")

func unlz4(dst, src []byte, limit int) ([]byte, error) {
	flags, maxBlock, src, err := lz4Descriptor(src)
	if err != nil {
		return dst, err
	}
	for {
		head, rest, ok := lz4Uint32(src)
		if !ok {
			return dst, errLZ4
		}
		if head == 0 {
			return dst, lz4End(rest, flags)
		}
		size := int(head &^ lz4Stored)
		if size > maxBlock || size > len(rest) {
			return dst, errLZ4
		}
		if dst, err = unlz4Block(dst, rest[:size], head&lz4Stored != 0, maxBlock); err != nil {
			return dst, err
		}
		if len(dst) > limit {
			return dst, ErrTooLarge
		}
		if src, ok = skipIf(rest[size:], flags&lz4BlockChecksum != 0, 4); !ok {
			return dst, errLZ4
		}
	}
}

// lz4Descriptor reads a frame's header. Its checksum is not looked at: the one that clients of format 0 wrote was wrong.
func lz4Descriptor(src []byte) (flags byte, maxBlock int, rest []byte, err error) {
	if len(src) < len(lz4Header) || binary.LittleEndian.Uint32(src) != lz4Magic {
		return 0, 0, nil, errLZ4
	}
	flags = src[4]
	size := src[5] >> 4 & 7 // 4: 64 KiB, and four times as much each step, to 7: 4 MiB
	if flags&lz4VersionMask != lz4Version || flags&lz4Independent == 0 || flags&lz4ReservedMask != 0 || size < 4 {
		return 0, 0, nil, errLZ4
	}
	rest, ok := skipIf(src[6:], flags&lz4ContentSize != 0, 8)
	if !ok || len(rest) == 0 {
		return 0, 0, nil, errLZ4
	}
	return flags, lz4BlockSize << (2 * (size - 4)), rest[1:], nil
}

// lz4End wants nothing after the end of the frame but its checksum.
func lz4End(rest []byte, flags byte) error {
	rest, ok := skipIf(rest, flags&lz4ContentChecksum != 0, 4)
	if !ok || len(rest) != 0 {
		return errLZ4
	}
	return nil
}

func unlz4Block(dst, block []byte, stored bool, maxBlock int) ([]byte, error) {
	if stored {
		return append(dst, block...), nil
	}
	room := min(maxBlock, 255*len(block)+64) // a byte of LZ4 stands for 255 at most
	dst = slices.Grow(dst, room)
	n, err := lz4.UncompressBlock(block, dst[len(dst):len(dst)+room])
	if err != nil {
		return dst, err
	}
	return dst[:len(dst)+n], nil
}

func appendLZ4(dst, src []byte, c *lz4.Compressor) []byte {
	dst = append(dst, lz4Header...)
	for len(src) > 0 {
		block := src[:min(len(src), lz4BlockSize)]
		src = src[len(block):]
		dst = slices.Grow(dst, 4+len(block))
		at := len(dst)
		dst = dst[:at+4+len(block)]
		n, err := c.CompressBlock(block, dst[at+4:len(dst)-1]) // a block that gains nothing is stored
		head := uint32(n)
		if n == 0 || err != nil { // too large for the room it was given: no error of ours
			n = copy(dst[at+4:], block)
			head = uint32(n) | lz4Stored
		}
		binary.LittleEndian.PutUint32(dst[at:], head)
		dst = dst[:at+4+n]
	}
	return append(dst, 0, 0, 0, 0)
}

func lz4Uint32(b []byte) (v uint32, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, false
	}
	return binary.LittleEndian.Uint32(b), b[4:], true
}

func skipIf(b []byte, present bool, n int) (rest []byte, ok bool) {
	if !present {
		return b, true
	}
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
}
