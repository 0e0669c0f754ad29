package mm2

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// version is the only version that checkpoints and heartbeats have had.
const version = 0

// The ways in which bytes are not what their topic's name promises.
var (
	ErrNull     = errors.New("key or value is null")
	ErrShort    = errors.New("bytes are missing")
	ErrTrailing = errors.New("there are bytes after the last field")
	ErrVersion  = errors.New("version is unknown")
	ErrRange    = errors.New("field is out of range")
)

// writer appends fields to buf and keeps the first error.
type writer struct {
	buf []byte
	err error
}

func (w *writer) int16(v int16) { w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(v)) }
func (w *writer) int32(v int32) { w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(v)) }
func (w *writer) int64(v int64) { w.buf = binary.BigEndian.AppendUint64(w.buf, uint64(v)) }

func (w *writer) string(field, s string) {
	if w.err == nil && (len(s) > math.MaxInt16 || !utf8.ValidString(s)) {
		w.err = fmt.Errorf("writing %s of %d bytes: %w", field, len(s), ErrRange)
	}
	if w.err != nil {
		return
	}
	w.int16(int16(len(s)))
	w.buf = append(w.buf, s...)
}

// natural checks, before it is written, a number that a reader will take as an offset or a partition.
func (w *writer) natural(field string, v int64) {
	if v < 0 && w.err == nil {
		w.err = fmt.Errorf("writing %s %d: %w", field, v, ErrRange)
	}
}

func (w *writer) bytes() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	return w.buf, nil
}

// reader takes fields off buf and keeps the first error; after it every field is zero.
type reader struct {
	buf []byte
	err error
}

// read starts on a key or a value; Kafka's null is Go's nil.
func read(b []byte) *reader {
	r := &reader{buf: b}
	if b == nil {
		r.err = ErrNull
	}
	return r
}

func (r *reader) fail(field string, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("reading %s: %w", field, err)
	}
}

func (r *reader) take(field string, n int) []byte {
	if r.err == nil && n > len(r.buf) {
		r.fail(field, ErrShort)
	}
	if r.err != nil {
		return make([]byte, min(n, 8)) // a number of zero; strings stop at the error
	}
	b := r.buf[:n]
	r.buf = r.buf[n:]
	return b
}

func (r *reader) int16(field string) int16 { return int16(binary.BigEndian.Uint16(r.take(field, 2))) }

func (r *reader) int32(field string) int32 {
	v := int32(binary.BigEndian.Uint32(r.take(field, 4)))
	if v < 0 {
		r.fail(field, ErrRange)
	}
	return v
}

func (r *reader) int64(field string) int64 {
	v := int64(binary.BigEndian.Uint64(r.take(field, 8)))
	if v < 0 {
		r.fail(field, ErrRange)
	}
	return v
}

func (r *reader) string(field string) string {
	n := int(r.int16(field))
	if n < 0 {
		r.fail(field, ErrRange)
		return ""
	}
	b := r.take(field, n)
	if r.err != nil {
		return ""
	}
	if !utf8.Valid(b) {
		r.fail(field, ErrRange)
	}
	return string(b)
}

func (r *reader) version() {
	if v := r.int16("version"); v != version {
		r.fail("version", ErrVersion)
	}
}

// end returns the first error, or ErrTrailing where bytes are left.
func (r *reader) end() error {
	if r.err == nil && len(r.buf) > 0 {
		return ErrTrailing
	}
	return r.err
}
