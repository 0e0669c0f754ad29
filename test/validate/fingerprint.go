package validate

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fingerprint stands for all that is promised of a record, in 32 bytes. Two that are equal are the same record: a false match needs
// a collision of 64 bits.
type fingerprint struct {
	key, value, headers uint64
	timestamp           int64 // ms
}

// entry is a record's place in a log and its fingerprint. The rest is for shared topics alone.
type entry struct {
	print  fingerprint
	offset int64
	epoch  int32  // leader epoch of its batch
	label  *label // nil: it has none
}

// Null and empty are different to Kafka, and have values of their own.
const (
	null  = 0
	empty = 1
)

var hashSeed = maphash.MakeSeed()

func hashed(b []byte) uint64 {
	switch {
	case b == nil:
		return null
	case len(b) == 0:
		return empty
	default:
		return max(maphash.Bytes(hashSeed, b), 2)
	}
}

func entryOf(r *kgo.Record) entry { return entry{offset: r.Offset, print: printOf(r, r.Headers)} }

// labelledOf is entryOf of a record of a shared topic: headers that say where it comes from are no part of its fingerprint.
func labelledOf(r *kgo.Record) entry {
	others, label := splitLabel(r.Headers)
	return entry{offset: r.Offset, print: printOf(r, others), epoch: r.LeaderEpoch, label: label}
}

func printOf(r *kgo.Record, headers []kgo.RecordHeader) fingerprint {
	return fingerprint{key: hashed(r.Key), value: hashed(r.Value), headers: hashedHeaders(headers), timestamp: r.Timestamp.UnixMilli()}
}

// hashedHeaders depends on the order, on keys that come twice, and on null or empty values.
func hashedHeaders(headers []kgo.RecordHeader) uint64 {
	if len(headers) == 0 {
		return null
	}
	var h maphash.Hash
	h.SetSeed(hashSeed)
	var length [8]byte
	for _, header := range headers {
		binary.LittleEndian.PutUint64(length[:], uint64(len(header.Key)))
		h.Write(length[:])
		h.WriteString(header.Key)
		binary.LittleEndian.PutUint64(length[:], hashed(header.Value))
		h.Write(length[:])
	}
	return max(h.Sum64(), 2)
}

// similar says whether two that are not equal are likely one record that was changed on its way.
func (f fingerprint) similar(other fingerprint) bool {
	if f.value > empty && f.value == other.value {
		return true
	}
	equal := 0
	for _, same := range []bool{
		f.key == other.key, f.value == other.value, f.headers == other.headers, f.timestamp == other.timestamp,
	} {
		if same {
			equal++
		}
	}
	return equal >= 3
}

// difference says in words how a record at the destination differs from its source.
func (f fingerprint) difference(other fingerprint) string {
	var parts []string
	add := func(name string, source, destination uint64) {
		if source != destination {
			parts = append(parts, fmt.Sprintf("%s: %s, not %s", name, word(destination), word(source)))
		}
	}
	add("key", f.key, other.key)
	add("value", f.value, other.value)
	add("headers", f.headers, other.headers)
	if f.timestamp != other.timestamp {
		parts = append(parts, fmt.Sprintf("timestamp: %d, not %d", other.timestamp, f.timestamp))
	}
	return strings.Join(parts, "; ")
}

func word(hash uint64) string {
	switch hash {
	case null:
		return "null"
	case empty:
		return "empty"
	default:
		return fmt.Sprintf("%016x", hash)
	}
}
