package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// decompressor holds the state of the codecs that it has met, for one goroutine.
type decompressor struct {
	limit int
	src   bytes.Reader
	gzip  *gzip.Reader
	zstd  *zstd.Decoder
}

// decompress appends the decompressed src to dst, which must be empty: only its capacity is of use.
//
// Errors: ErrTooLarge, maybe wrapped; any other means that src is corrupt.
func (d *decompressor) decompress(dst, src []byte, codec Codec) ([]byte, error) {
	switch codec {
	case Gzip:
		return d.gunzip(dst, src)
	case Snappy:
		return unsnappy(dst, src, d.limit)
	case LZ4:
		return unlz4(dst, src, d.limit)
	case Zstd:
		return d.unzstd(dst, src)
	default:
		return nil, fmt.Errorf("unknown codec %d", int8(codec))
	}
}

func (d *decompressor) gunzip(dst, src []byte) ([]byte, error) {
	d.src.Reset(src)
	var err error
	if d.gzip == nil {
		d.gzip, err = gzip.NewReader(&d.src)
	} else {
		err = d.gzip.Reset(&d.src)
	}
	if err != nil {
		return dst, err
	}
	dst, err = readAll(dst, d.gzip, d.limit)
	d.src.Reset(nil)
	return dst, err
}

// readAll appends what r yields, and at most limit bytes of it.
func readAll(dst []byte, r io.Reader, limit int) ([]byte, error) {
	for {
		dst = slices.Grow(dst, 512)
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if len(dst) > limit {
			return dst, ErrTooLarge
		}
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

func (d *decompressor) unzstd(dst, src []byte) ([]byte, error) {
	if d.zstd == nil {
		var err error
		d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(uint64(d.limit)))
		if err != nil {
			return dst, fmt.Errorf("starting zstd: %w", err)
		}
	}
	dst, err := d.zstd.DecodeAll(src, dst)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		err = ErrTooLarge
	}
	return dst, err
}

// xerialHeader begins the snappy of Java's producers: the frame of the xerial snappy-java library, its version and the lowest
// version that can read it, both 1.
var xerialHeader = []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")

const xerialMagic = 8 // bytes of xerialHeader that name it; versions vary

var errXerial = errors.New("bad xerial framing")

// unsnappy reads one bare snappy block, as librdkafka writes it, or xerial's sequence of blocks, each after its length.
func unsnappy(dst, src []byte, limit int) ([]byte, error) {
	if len(src) < len(xerialHeader) || !bytes.Equal(src[:xerialMagic], xerialHeader[:xerialMagic]) {
		return unsnappyBlock(dst, src, limit)
	}
	src = src[len(xerialHeader):]
	for len(src) > 0 {
		size, rest, ok := uint32At(src)
		if !ok || uint64(size) > uint64(len(rest)) {
			return dst, errXerial
		}
		var err error
		if dst, err = unsnappyBlock(dst, rest[:size], limit); err != nil {
			return dst, err
		}
		src = rest[size:]
	}
	return dst, nil
}

func unsnappyBlock(dst, block []byte, limit int) ([]byte, error) {
	size, err := s2.DecodedLen(block)
	if err != nil {
		return dst, err
	}
	if size > limit-len(dst) {
		return dst, ErrTooLarge
	}
	dst = slices.Grow(dst, size)
	end := len(dst) + size
	if _, err := s2.Decode(dst[len(dst):end], block); err != nil { // in place: there is room for all of it
		return dst, err
	}
	return dst[:end], nil
}

// decompressError tells an unusable batch from one that is merely too large.
func (b Batch) decompressError(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return fmt.Errorf("batch at offset %d: %w", b.BaseOffset(), err)
	}
	return b.corrupt("%s: %s", b.Codec(), err)
}
