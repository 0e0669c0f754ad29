package validate

import (
	"bytes"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// originHeader is the key under which a record of a shared topic says where it was first produced.
const originHeader = "meshd-origin"

// label is what a record has of headers with that key. It keeps no more of the batch alive than it needs.
type label struct {
	n     int    // how many
	value []byte // of the last
	all   uint64 // a hash of them and their order
}

// splitLabel parts a record's headers with that key from the others.
func splitLabel(headers []kgo.RecordHeader) (others []kgo.RecordHeader, l *label) {
	var labels []kgo.RecordHeader
	for i, h := range headers {
		switch {
		case h.Key != originHeader && labels != nil:
			others = append(others, h)
		case h.Key != originHeader:
		case labels == nil:
			others = append(others, headers[:i]...)
			labels = append(labels, h)
		default:
			labels = append(labels, h)
		}
	}
	if labels == nil {
		return headers, nil
	}
	return others, &label{n: len(labels), value: bytes.Clone(labels[len(labels)-1].Value), all: hashedHeaders(labels)}
}

// wrong says what is wrong with the label of a record that was first produced somewhere else; "" if nothing is.
func (l *label) wrong(at birth) string {
	switch {
	case l == nil:
		return "it has no header " + originHeader
	case l.n > 1:
		return fmt.Sprintf("it has %d headers %s", l.n, originHeader)
	}
	got, err := readBirth(l.value)
	if err != nil {
		return fmt.Sprintf("its header %s: %v", originHeader, err)
	}
	got.incarnation = at.incarnation // only the origin's own registry knows it
	if got != at {
		return fmt.Sprintf("its header names %s, not %s", got, at)
	}
	return ""
}

// touched says how the labels of a record differ from those that it left with; "" if they don't. They are its application's alone.
func (l *label) touched(before *label) string {
	if l.hash() == before.hash() {
		return ""
	}
	return fmt.Sprintf("it has %d headers %s, and left with %d", l.count(), originHeader, before.count())
}

func (l *label) hash() uint64 {
	if l == nil {
		return null
	}
	return l.all
}

func (l *label) count() int {
	if l == nil {
		return 0
	}
	return l.n
}
