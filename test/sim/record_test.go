package sim

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/meshd/meshd/loop"
)

// record is what a log keeps. Nil is not empty.
type record struct {
	key, value []byte
	headers    []header
	time       int64
}

type header struct {
	key   string
	value []byte
}

// newRecord makes a record that tells its home: cluster/topic/partition#number. Keys and values are there, empty or nil by turns.
func newRecord(home string, number int, copied []header) record {
	name := fmt.Appendf(nil, "%s#%d", home, number)
	r := record{time: int64(number), headers: append([]header{{"app", []byte{}}}, copied...)}
	switch number % 4 {
	case 0:
		r.value = name
	case 1:
		r.key = name
	case 2:
		r.key, r.value = name, []byte{}
	case 3:
		r.key, r.value = name, []byte("v")
		r.headers = append(r.headers, header{"app", nil})
	}
	return r
}

func (r record) name() string {
	if r.key != nil {
		return string(r.key)
	}
	return string(r.value)
}

// home is the partition where an application wrote a record.
func home(name string) string {
	at, _, _ := strings.Cut(name, "#")
	return at
}

// stamp is the value of the last header of meshd's.
func (r record) stamp() (value []byte, ok bool) {
	for _, h := range slices.Backward(r.headers) {
		if h.key == loop.HeaderKey {
			return h.value, true
		}
	}
	return nil, false
}

// stamped is the record with one header of meshd's, at the end.
func (r record) stamped(value []byte) record {
	r.headers = append(r.bare(), header{loop.HeaderKey, value})
	return r
}

// bare are the headers that are not meshd's.
func (r record) bare() (out []header) {
	for _, h := range r.headers {
		if h.key != loop.HeaderKey {
			out = append(out, h)
		}
	}
	return out
}

// differs says what is not the same in a copy, meshd's own headers apart.
func (r record) differs(copied record) string {
	same := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
	a, b := r.bare(), copied.bare()
	switch {
	case !same(r.key, copied.key):
		return "key"
	case !same(r.value, copied.value):
		return "value"
	case r.time != copied.time:
		return "timestamp"
	case !slices.EqualFunc(a, b, func(x, y header) bool { return x.key == y.key && same(x.value, y.value) }):
		return "headers"
	}
	return ""
}
