package raftstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

// logVersion is the first byte of a stored entry.
const logVersion = 1

var errShortLog = errors.New("a log entry ends early")

// encodeLog returns an entry as it is stored: version, type, then index, term and time of appending as varints, then data and
// extensions, each after its length.
func encodeLog(l *raft.Log) []byte {
	b := make([]byte, 0, len(l.Data)+len(l.Extensions)+32)
	b = append(b, logVersion, byte(l.Type))
	b = binary.AppendUvarint(b, l.Index)
	b = binary.AppendUvarint(b, l.Term)
	var appended int64
	if !l.AppendedAt.IsZero() {
		appended = l.AppendedAt.UnixNano()
	}
	b = binary.AppendVarint(b, appended)
	b = append(binary.AppendUvarint(b, uint64(len(l.Data))), l.Data...)
	return append(binary.AppendUvarint(b, uint64(len(l.Extensions))), l.Extensions...)
}

// decodeLog reads what encodeLog wrote, into copies: the bytes belong to the database.
func decodeLog(b []byte) (raft.Log, error) {
	if len(b) < 2 {
		return raft.Log{}, errShortLog
	}
	if b[0] != logVersion {
		return raft.Log{}, fmt.Errorf("log entry of version %d, known is %d", b[0], logVersion)
	}
	l, r := raft.Log{Type: raft.LogType(b[1])}, logReader{b: b[2:]}
	l.Index, l.Term = r.uvarint(), r.uvarint()
	if appended := r.varint(); appended != 0 {
		l.AppendedAt = time.Unix(0, appended)
	}
	l.Data, l.Extensions = r.bytes(), r.bytes()
	if r.err == nil && len(r.b) > 0 {
		r.err = errors.New("bytes after a log entry")
	}
	return l, r.err
}

type logReader struct {
	b   []byte
	err error
}

func (r *logReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.skip(n)
	return v
}

func (r *logReader) varint() int64 {
	v, n := binary.Varint(r.b)
	r.skip(n)
	return v
}

func (r *logReader) skip(n int) {
	if n <= 0 {
		r.b, r.err = nil, errShortLog
		return
	}
	r.b = r.b[n:]
}

func (r *logReader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.b, r.err = nil, errShortLog
	}
	if r.err != nil || n == 0 {
		return nil
	}
	out := append([]byte(nil), r.b[:n]...)
	r.b = r.b[n:]
	return out
}
