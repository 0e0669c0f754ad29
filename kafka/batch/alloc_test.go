package batch

import "testing"

// poolLosses are for -race, under which sync.Pool drops objects on purpose, those of codecs too: one in four.
// Else there are none, and 1000 records would show.
const poolLosses = 20

// Once buffers and codecs are warm, no record allocates.
func TestNoAllocations(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			src := encode(t, codec, append(sample(0), benchRows(1000, 100)[6:]...), nil)
			r, w := NewReader(testLimit), NewBuilder()
			dst, copied := make([]byte, 0, 4<<20), make([]byte, 0, 4<<20)
			bytes := 0
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
				w.Reset(dst, codec, testLimit)
				if fits, err := w.AppendBatch(r, b); !fits || err != nil {
					t.Fatal(fits, err)
				}
				if _, err := w.Finish(1, 2, 3); err != nil {
					t.Fatal(err)
				}
			}
			work()
			if n := testing.AllocsPerRun(10, work); n > poolLosses || bytes == 0 {
				t.Fatalf("%v allocations", n)
			}
		})
	}
}

func TestStampAllocatesNothing(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			src := encode(t, codec, append(sample(0), benchRows(1000, 100)[6:]...), nil)
			r, w := NewReader(testLimit), NewBuilder()
			dst, value, stamped := make([]byte, 0, 4<<20), []byte("value"), 0
			work := func() {
				if err := r.Reset(src); err != nil {
					t.Fatal(err)
				}
				if first, last, err := r.Ends(); err != nil || first.Offset == last.Offset {
					t.Fatal(first.Offset, last.Offset, err)
				}
				w.Reset(dst, codec, testLimit)
				for r.Next() {
					if _, ok := r.Record().LastHeader("a"); ok {
						stamped++
					}
					w.AppendWithHeader(r.Record(), "a", value)
				}
				if out, err := w.Finish(1, 2, 3); err != nil || out.Count() != 1000 {
					t.Fatal(out.Count(), err)
				}
			}
			work()
			if n := testing.AllocsPerRun(10, work); n > poolLosses || stamped == 0 {
				t.Fatalf("%v allocations", n)
			}
		})
	}
}
