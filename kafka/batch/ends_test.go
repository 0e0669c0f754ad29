package batch

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// The ends are those that reading all finds, and reading all begins at the first record still.
func TestEnds(t *testing.T) {
	r := NewReader(testLimit)
	rapid.Check(t, func(t *rapid.T) {
		rows := genRows(rapid.Int64Range(0, 1<<40).Draw(t, "base"), rapid.Bool().Draw(t, "gaps"), 20).Draw(t, "rows")
		from := rapid.IntRange(0, len(rows)-1).Draw(t, "from")
		if err := r.Reset(encode(t, rapid.SampledFrom(codecs).Draw(t, "codec"), rows, nil)); err != nil {
			t.Fatalf("reading: %v", err)
		}
		r.SkipTo(rows[from].Offset)
		first, last, err := r.Ends()
		if err != nil {
			t.Fatalf("ends: %v", err)
		}
		wantRows(t, []row{copyRow(first), copyRow(last)}, []row{rows[0], rows[len(rows)-1]})
		var got []row
		for r.Next() {
			got = append(got, copyRow(r.Record()))
		}
		wantRows(t, got, rows[from:])
	})
}

func TestEndsOfOldFormats(t *testing.T) {
	for magic := range int8(2) {
		for _, codec := range oldCodecs {
			rows := asOld(magic, sample(0)[:5])
			r := NewReader(testLimit)
			b, _, err := Next(set(t, magic, codec, rows))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Reset(b); err != nil {
				t.Fatal(err)
			}
			first, last, err := r.Ends()
			if err != nil {
				t.Fatal(err)
			}
			all := mustRead(t, b)
			wantRows(t, []row{copyRow(first), copyRow(last)}, []row{all[0], all[len(all)-1]})
		}
	}
}

func TestEndsOfNothing(t *testing.T) {
	r := NewReader(testLimit)
	if err := r.Reset(encode(t, None, nil, func(b *kmsg.RecordBatch) { b.LastOffsetDelta = 4 })); err != nil {
		t.Fatal(err)
	}
	first, last, err := r.Ends()
	if err != nil || first.Body != nil || last.Body != nil {
		t.Fatal(first, last, err)
	}
	if value, ok := first.LastHeader("key"); value != nil || ok {
		t.Fatal("no record has a header")
	}
}

func TestEndsRefuses(t *testing.T) {
	rec := func(delta byte, key byte) []byte { return []byte{14, 0, 0, delta << 1, 2, key, 1, 0} }
	three := func(change func(b []byte)) []byte {
		b := append(append(rec(0, 'a'), rec(1, 'b')...), rec(2, 'c')...)
		change(b)
		return b
	}
	for name, c := range map[string]struct {
		records []byte
		want    string
	}{
		"the first does not fit":        {three(func(b []byte) { b[0] = 100 }), "record 0 does not fit"},
		"the first is unsound":          {three(func(b []byte) { b[4] = 100 }), "bad key, value or headers"},
		"one between does not fit":      {three(func(b []byte) { b[8] = 100 }), "record 1 does not fit"},
		"one between has no length":     {three(func(b []byte) { b[8] = 1 }), "record 1 does not fit"},
		"the last does not fit":         {three(func(b []byte) { b[16] = 100 }), "record 2 does not fit"},
		"the last is unsound":           {three(func(b []byte) { b[20] = 100 }), "bad key, value or headers"},
		"the last has another's offset": {three(func(b []byte) { b[19] = 2 }), "bad offset delta"},
		"the last is out of the range":  {three(func(b []byte) { b[19] = 6 }), "bad offset delta"},
		"bytes behind the last":         {append(three(func([]byte) {}), 0), "1 bytes after the last record"},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(testLimit)
			if err := r.Reset(seal(kmsg.RecordBatch{Magic: 2, NumRecords: 3, LastOffsetDelta: 2, ProducerID: -1, FirstSequence: -1, Records: c.records})); err != nil {
				t.Fatal(err)
			}
			_, _, err := r.Ends()
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}
