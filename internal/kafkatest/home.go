package kafkatest

import (
	"bytes"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// sign puts the name of the cluster before what a record has of a key and a value. One that has neither gets a key.
func (w Workload) sign(r *kgo.Record, i int) {
	if len(r.Key) == 0 && len(r.Value) == 0 {
		r.Key = w.key(i)
	}
	r.Key, r.Value = signed(w.At, r.Key), signed(w.At, r.Value)
}

func signed(at string, text []byte) []byte {
	if len(text) == 0 {
		return text // null stays null, and empty empty
	}
	return slices.Concat([]byte(at+"|"), text)
}

// HomeOf tells at which cluster a record was produced, by a workload that says At or by CopyAt; "" if neither wrote it.
func HomeOf(key, value []byte) string {
	home, _ := parts(key, value)
	return home
}

// IsCopy says whether a record is of CopyAt.
func IsCopy(key, value []byte) bool {
	_, text := parts(key, value)
	return bytes.HasPrefix(text, []byte(copyOf))
}

func parts(key, value []byte) (home string, text []byte) {
	for _, signed := range [][]byte{value, key} {
		if len(signed) == 0 {
			continue
		}
		if at, text, ok := bytes.Cut(signed, []byte{'|'}); ok {
			return string(at), text
		}
		break
	}
	return "", nil
}

const copyOf = "copy of "

// CopyAt is what an application at a cluster makes of a record that it read there: its own, with all headers of the other.
func CopyAt(at string, r *kgo.Record) *kgo.Record {
	return &kgo.Record{
		Partition: r.Partition, Key: copied(at, r.Key), Value: copied(at, r.Value), Headers: slices.Clone(r.Headers), Timestamp: r.Timestamp,
	}
}

func copied(at string, text []byte) []byte {
	if len(text) == 0 {
		return text
	}
	return slices.Concat([]byte(at+"|"+copyOf), text)
}
