package flow

import (
	"bytes"
	"testing"

	"github.com/meshd/meshd/kafka/batch"
)

// A batch that was built has memory of its own, and no more of it than it needs; what fails or comes to nothing in between takes nothing
// from it.
func TestRecodedBatchesAreTheirOwn(t *testing.T) {
	for _, codec := range []batch.Codec{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd} {
		rec := newRecoder()
		b := built(t, codec, 100)
		first, _, err := rec.recode(b, 50)
		if err != nil || first.Count() != 50 {
			t.Fatalf("%s: %d records: %v", codec, first.Count(), err)
		}
		before := bytes.Clone(first)
		if none, _, err := rec.recode(b, 100); none != nil || err != nil {
			t.Fatalf("%s: %d bytes: %v", codec, len(none), err)
		}
		lies := bytes.Clone(built(t, batch.None, 1))
		lies[61] = 0x7f // the first record's length, which is now below 0
		if _, _, err := rec.recode(lies, 0); err == nil {
			t.Fatal("a record that lies passes")
		}
		second, _, err := rec.recode(b, 50)
		if err != nil || !bytes.Equal(first, before) || !bytes.Equal(second, before) {
			t.Fatalf("%s: the same records make other batches: %v", codec, err)
		}
		if c := cap(first); c > len(first)*5/4+64 {
			t.Errorf("%s: %d bytes hold a batch of %d", codec, c, len(first))
		}
	}
}

// built is a batch of n records that begins at offset 0.
func built(t *testing.T, codec batch.Codec, n int) batch.Batch {
	t.Helper()
	w := batch.NewBuilder()
	w.Reset(nil, codec, 1<<20)
	for range n {
		w.Append(entry{"key", bytes.Repeat([]byte("value"), 40)}.record(1))
	}
	b, err := w.Finish(1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
