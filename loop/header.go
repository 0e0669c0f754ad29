package loop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
)

// HeaderKey is the header that a record gets where it first leaves the cluster in which it was produced (identity naming).
const HeaderKey = "meshd-origin"

// HeaderMax is the size of the largest header value, in bytes.
const HeaderMax = 1 + 1 + MaxClusterID + 4 + 5 + 5 + 5 + 9

const headerVersion = 1

// Header says where a record was first produced.
//
//	version  1 byte     1
//	cluster  1+n bytes  as ClusterID
//	topic    4 bytes    TopicTag of its topic, big endian
//	then, as unsigned varints of the shortest form (encoding/binary):
//	incarnation, leader epoch + 1, partition, offset
type Header struct {
	Cluster   []byte // form of a ClusterID; a view into what was decoded
	Topic     uint32 // TopicTag
	Partition int32
	At        Coordinate
}

// Errors of a header, by kind.
var (
	ErrFuture  = errors.New("a newer meshd wrote the header")
	ErrShort   = errors.New("the header is cut short")
	ErrLong    = errors.New("the header has bytes behind its end")
	ErrCorrupt = errors.New("the header has a value that none can have")
)

// TopicTag stands for a topic's name in a header (FNV-1a, 32 bits). It tells a record that an application copied into another topic
// from one of this topic: partitions and offsets alone can't.
func TopicTag(topic string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(topic)) // a hash never fails
	return h.Sum32()
}

// AppendHeader writes the value of a header behind b. It allocates only where b has no room.
func AppendHeader(b []byte, cluster ClusterID, topic uint32, partition int32, at Coordinate) []byte {
	b = append(b, headerVersion)
	b = append(b, cluster...)
	b = binary.BigEndian.AppendUint32(b, topic)
	b = binary.AppendUvarint(b, uint64(at.Incarnation))
	b = binary.AppendUvarint(b, uint64(int64(at.Epoch)+1))
	b = binary.AppendUvarint(b, uint64(partition))
	return binary.AppendUvarint(b, uint64(at.Offset))
}

// DecodeHeader reads what AppendHeader wrote, and refuses everything else. It does not allocate; its errors are the four above.
func DecodeHeader(b []byte) (Header, error) {
	var h Header
	if len(b) == 0 {
		return h, ErrShort
	}
	if b[0] != headerVersion {
		if b[0] == 0 {
			return h, ErrCorrupt
		}
		return h, ErrFuture
	}
	var err error
	if h.Cluster, b, err = cutID(b[1:]); err != nil {
		return h, err
	}
	if len(b) < 4 {
		return h, ErrShort
	}
	h.Topic = binary.BigEndian.Uint32(b)
	d := uvarints{b: b[4:]}
	h.At.Incarnation = int32(d.next(math.MaxInt32))
	h.At.Epoch = int32(int64(d.next(math.MaxInt32)) - 1)
	h.Partition = int32(d.next(math.MaxInt32))
	h.At.Offset = int64(d.next(math.MaxInt64))
	if d.err == nil && len(d.b) > 0 {
		d.err = ErrLong
	}
	return h, d.err
}

// uvarints reads one varint after another; after a bad one it stays bad.
type uvarints struct {
	b   []byte
	err error
}

func (u *uvarints) next(most uint64) uint64 {
	if u.err != nil {
		return 0
	}
	x, n := binary.Uvarint(u.b)
	switch {
	case n == 0:
		u.err = ErrShort
	case n < 0, x > most, n > 1 && u.b[n-1] == 0:
		u.err = ErrCorrupt
	default:
		u.b = u.b[n:]
		return x
	}
	return 0
}

// String is how a header is shown to people.
func (h Header) String() string {
	return fmt.Sprintf("%s/%d at %s", ClusterID(h.Cluster), h.Partition, h.At)
}
