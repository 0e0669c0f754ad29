package batch

import "testing"

// Once buffers and codecs are warm, no record allocates.
func TestNoAllocations(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			src := encode(t, codec, append(sample(0), benchRows(1000, 100)[6:]...), nil)
			r, w := NewReader(testLimit), NewBuilder()
			dst, copied := make([]byte, 0, 4<<20), make([]byte, 0, 4<<20)
			bytes, stamped, value := 0, 0, []byte("value")
			work := func() {
				b, _, err := Next(src)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := AppendPatched(copied, b, 1, 2, 3); err != nil {
					t.Fatal(err)
				}
				if err := r.Reset(b); err != nil {
					t.Fatal(err)
				}
				for r.Next() {
					bytes += len(r.Record().Key()) + len(r.Record().Value())
					for k, v := range r.Record().Headers() {
						bytes += len(k) + len(v)
					}
				}
				if err := r.Reset(b); err != nil {
					t.Fatal(err)
				}
				first, last, err := r.Ends()
				if err != nil || first.Offset == last.Offset {
					t.Fatal(err)
				}
				w.Reset(dst, codec, testLimit)
				for r.Next() {
					if _, ok := r.Record().LastHeader("a"); ok {
						stamped++
					}
					w.AppendWithHeader(r.Record(), "a", value)
				}
				if _, err := w.Finish(1, 2, 3); err != nil {
					t.Fatal(err)
				}
				w.Reset(dst, codec, testLimit)
				if fits, err := w.AppendBatch(r, b); !fits || err != nil {
					t.Fatal(fits, err)
				}
				if _, err := w.Finish(1, 2, 3); err != nil {
					t.Fatal(err)
				}
			}
			work()
			if n := testing.AllocsPerRun(10, work); n > 10 || bytes == 0 || stamped == 0 { // 0; under -race, a codec's own pool loses objects
				t.Fatalf("%v allocations", n)
			}
		})
	}
}
