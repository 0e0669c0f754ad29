package batch

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// compressor holds the state of the codecs that it has written, for one goroutine.
//
// A rewritten batch should not outgrow a limit that it fitted before, so the levels of LZ4 and zstd are the fastest that kept each of
// 36 batches within 10 % of what Java's producer makes of it at its defaults: JSON, Go source, access logs and numbers, in records of
// 100 B, 1 KiB and 10 KiB, 16 KiB to 1 MiB of them. CPU is the mean, for a MB of plain records, on a machine that was shared; size is
// that of the worst batch, in parts of Java's, and of the worst in parts of kgo's.
//
//	             ms/MB  Java  kgo
//	zstd fastest   4.2  1.12  1.10  (Go source; the other three kinds stay below 1.07)
//	zstd default   5.6  1.05  1.08  <- taken
//	zstd better    7.0  1.05  1.00
//	lz4 fast       2.1  1.06  1.07  <- taken; there is no faster one
//	lz4 HC 1      15.2  0.96  1.15
//	snappy         1.3  1.09  1.11  <- taken
//	snappy better  2.4  1.00  1.00
//	gzip 1         3.9  1.30  1.18
//	gzip 5         7.4  1.15  1.00  <- taken: the default
//	gzip 6         7.8  1.12  1.09
//
// With a header of meshd's in each record, the worst batch of 100 B records is 1.14 of Java's without with zstd, and 1.18 with LZ4;
// the worst of larger records 1.08 and 1.06.
type compressor struct {
	sink sink
	gzip *gzip.Writer
	lz4  *lz4.Compressor
	zstd *zstd.Encoder
}

// compress appends the compressed src to dst.
func (c *compressor) compress(dst, src []byte, codec Codec) ([]byte, error) {
	switch codec {
	case Gzip:
		return c.appendGzip(dst, src)
	case Snappy:
		return appendXerial(dst, src), nil
	case LZ4:
		if c.lz4 == nil {
			c.lz4 = new(lz4.Compressor)
		}
		return appendLZ4(dst, src, c.lz4), nil
	case Zstd:
		return c.appendZstd(dst, src)
	default:
		return dst, fmt.Errorf("unknown codec %d", int8(codec))
	}
}

// sink is an io.Writer onto a slice.
type sink []byte

func (s *sink) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

func (c *compressor) appendGzip(dst, src []byte) ([]byte, error) {
	if c.gzip == nil {
		c.gzip = gzip.NewWriter(nil)
	}
	c.sink = dst
	c.gzip.Reset(&c.sink)
	_, err := c.gzip.Write(src)
	if err == nil {
		err = c.gzip.Close()
	}
	dst, c.sink = c.sink, nil
	return dst, err
}

// zstdWindow bounds the encoder's memory, to some 4 MB. It is not smaller, because what repeats at a distance is found within the
// window alone, and zstd at its default level looks 2 MiB back.
const zstdWindow = 1 << 20

func (c *compressor) appendZstd(dst, src []byte) ([]byte, error) {
	if c.zstd == nil {
		var err error
		c.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow), zstd.WithEncoderCRC(false))
		if err != nil {
			return dst, fmt.Errorf("starting zstd: %w", err)
		}
	}
	return c.zstd.EncodeAll(src, dst), nil
}

// xerialBlock is the size of the blocks that Java's producers write.
const xerialBlock = 32 << 10

func appendXerial(dst, src []byte) []byte {
	dst = append(dst, xerialHeader...)
	for len(src) > 0 {
		block := src[:min(len(src), xerialBlock)]
		src = src[len(block):]
		dst = slices.Grow(dst, 4+s2.MaxEncodedLen(len(block)))
		at := len(dst)
		n := len(s2.EncodeSnappy(dst[at+4:cap(dst)], block)) // in place: there is room for the worst case
		dst = binary.BigEndian.AppendUint32(dst, uint32(n))[:at+4+n]
	}
	return dst
}
