package batch

import (
	"bytes"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

func TestLastHeader(t *testing.T) {
	h := func(key string, value []byte) kmsg.Header { return kmsg.Header{Key: key, Value: value} }
	for name, c := range map[string]struct {
		headers []kmsg.Header
		value   []byte
		ok      bool
	}{
		"no headers":          {nil, nil, false},
		"others only":         {[]kmsg.Header{h("kez", []byte("1")), h("ke", nil), h("keys", nil), h("", nil)}, nil, false},
		"one":                 {[]kmsg.Header{h("key", []byte("1"))}, []byte("1"), true},
		"before others":       {[]kmsg.Header{h("key", []byte("1")), h("b", []byte("2"))}, []byte("1"), true},
		"the last of several": {[]kmsg.Header{h("key", []byte("1")), h("b", []byte("2")), h("key", []byte("3"))}, []byte("3"), true},
		"empty":               {[]kmsg.Header{h("key", []byte{})}, []byte{}, true},
		"null at the end":     {[]kmsg.Header{h("key", []byte("1")), h("key", nil)}, nil, true},
		"among 64":            {append(slices.Repeat([]kmsg.Header{h("a", []byte("x"))}, 63), h("key", []byte("1"))), []byte("1"), true},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(testLimit)
			if err := r.Reset(encode(t, None, []row{{Key: []byte("k"), Headers: c.headers}}, nil)); err != nil || !r.Next() {
				t.Fatal(err, r.Err())
			}
			var value []byte
			var ok bool
			n := testing.AllocsPerRun(10, func() { value, ok = r.Record().LastHeader("key") })
			if !bytes.Equal(value, c.value) || (value == nil) != (c.value == nil) || ok != c.ok || n != 0 {
				t.Fatalf("got %q, %t, with %v allocations", value, ok, n)
			}
		})
	}
}

// Numbers of more bytes than they need are read as Kafka's readers read them, and copied as they are where they stay.
func TestHeadersOfLongNumbers(t *testing.T) {
	src := seal(kmsg.RecordBatch{
		Magic: 2, NumRecords: 1, ProducerID: -1, FirstSequence: -1,
		Records: []byte{30, 0, 0, 0, 2, 'k', 1, 0x82, 0, 0x82, 0, 'a', 0x84, 0, 'v', 'w'},
	})
	rows := mustRead(t, src)
	wantRows(t, rows, []row{{Key: []byte("k"), Headers: []kmsg.Header{{Key: "a", Value: []byte("vw")}}}})
	for _, key := range []string{"a", "b"} {
		wantRows(t, readModel(t, stamp(t, src, key, []byte("x"))), stampModel(rows, key, []byte("x")))
	}
}

// stamp gives all records of a batch a header.
func stamp(t fatal, src Batch, key string, value []byte) Batch {
	t.Helper()
	r, b := NewReader(testLimit), NewBuilder()
	if err := r.Reset(src); err != nil {
		t.Fatalf("reading: %v", err)
	}
	b.Reset(nil, src.Codec(), testLimit)
	for r.Next() {
		if !b.AppendWithHeader(r.Record(), key, value) {
			t.Fatalf("full at %d", b.Size())
		}
	}
	if r.Err() != nil {
		t.Fatalf("reading: %v", r.Err())
	}
	return mustFinish(t, b)
}

// stampModel is what becomes of rows that are stamped.
func stampModel(rows []row, key string, value []byte) []row {
	out := renumber(rows)
	for i := range out {
		var headers []kmsg.Header
		for _, h := range out[i].Headers {
			if h.Key != key {
				headers = append(headers, h)
			}
		}
		headers = append(headers, kmsg.Header{Key: key, Value: value})
		out[i].Headers = headers
	}
	return out
}

// A stamped record is the same to kgo, but for the one header of that key, which is the last.
func TestAppendWithHeader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := genRows(9, rapid.Bool().Draw(t, "gaps"), 8).Draw(t, "rows")
		key := rapid.SampledFrom([]string{"", "a", "b", "stamp", "a longer key"}).Draw(t, "key")
		value := genBytes().Draw(t, "value")
		src := encode(t, rapid.SampledFrom(codecs).Draw(t, "codec"), rows, nil)
		wantRows(t, readModel(t, stamp(t, src, key, value)), stampModel(rows, key, value))
	})
}

// A record that finds no room leaves the batch as it is.
func TestAppendWithHeaderFull(t *testing.T) {
	rows := []row{{Timestamp: 1, Key: []byte("first"), Value: bytes.Repeat([]byte{'x'}, 200)}, {Offset: 1, Timestamp: 9, Key: []byte("second")}}
	r, b := NewReader(testLimit), NewBuilder()
	if err := r.Reset(encode(t, None, rows, nil)); err != nil {
		t.Fatal(err)
	}
	b.Reset(nil, None, 100)
	var took []bool
	for r.Next() {
		took = append(took, b.AppendWithHeader(r.Record(), "stamp", []byte("value")))
	}
	if !slices.Equal(took, []bool{true, false}) {
		t.Fatalf("took %v", took)
	}
	wantRows(t, readModel(t, mustFinish(t, b)), stampModel(rows[:1], "stamp", []byte("value")))
}
