package validate

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
)

// birth is the place where a record was first produced, as a header says it:
//
//	version   1 byte: 1
//	cluster   1 byte n; n = 0: the 16 bytes of a Kafka UUID; n = 1..64: so many bytes of another id
//	topic     4 bytes, big endian: FNV-1a of its name
//	unsigned varints, none longer than it need be: incarnation, leader epoch + 1, partition, offset
//
// It is read here by what the format says, and by no code of meshd's.
type birth struct {
	cluster     string // as Kafka tells it
	topic       uint32
	incarnation int32
	epoch       int32
	partition   int32
	offset      int64
}

func (b birth) String() string {
	return fmt.Sprintf("cluster %s, topic %08x, partition %d, offset %d, leader epoch %d", b.cluster, b.topic, b.partition, b.offset, b.epoch)
}

// topicHash is how a header names a topic.
func topicHash(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return h.Sum32()
}

var (
	errVersion = errors.New("it is not of version 1")
	errCut     = errors.New("it is cut short")
	errBehind  = errors.New("there is something behind its end")
	errNumber  = errors.New("it has a number that is too large, or too long")
)

// readBirth reads the value of a header.
func readBirth(b []byte) (birth, error) {
	if len(b) < 2 {
		return birth{}, errCut
	}
	if b[0] != 1 {
		return birth{}, errVersion
	}
	n, uuid := int(b[1]), b[1] == 0
	if uuid {
		n = 16
	}
	switch b = b[2:]; {
	case n > 64:
		return birth{}, errNumber
	case len(b) < n+4:
		return birth{}, errCut
	}
	at := birth{cluster: string(b[:n]), topic: binary.BigEndian.Uint32(b[n:])}
	if uuid {
		at.cluster = base64.RawURLEncoding.EncodeToString(b[:n])
	}
	return at, at.readNumbers(b[n+4:])
}

func (b *birth) readNumbers(from []byte) error {
	var numbers [4]uint64
	for i, most := range [4]uint64{math.MaxInt32, math.MaxInt32, math.MaxInt32, math.MaxInt64} {
		x, n := binary.Uvarint(from)
		switch {
		case n == 0:
			return errCut
		case n < 0, x > most, n > 1 && from[n-1] == 0:
			return errNumber
		}
		numbers[i], from = x, from[n:]
	}
	if len(from) > 0 {
		return errBehind
	}
	b.incarnation, b.epoch, b.partition, b.offset = int32(numbers[0]), int32(int64(numbers[1])-1), int32(numbers[2]), int64(numbers[3])
	return nil
}
