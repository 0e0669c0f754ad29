package trace

import (
	"encoding/binary"
	"testing"

	"github.com/meshd/meshd/kafka/batch"
)

// dense is a batch of n records from an offset on.
func dense(t *testing.T, base int64, n int) batch.Batch {
	t.Helper()
	b := batch.NewBuilder()
	b.Reset(nil, batch.None, 1<<20)
	for range n {
		b.Append(batch.Record{Timestamp: 5, Body: []byte{1, 1, 0}}) // null key, null value, no headers
	}
	out, err := b.Finish(7, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint64(out, uint64(base))
	return out
}

// TestCompactedAway: nothing lies at an offset between two batches, or behind the last record of an answer.
func TestCompactedAway(t *testing.T) {
	data := append(dense(t, 10, 5), dense(t, 30, 2)...)
	for offset, want := range map[int64]State{10: Record, 14: Record, 15: NoRecord, 29: NoRecord, 31: Record, 32: NoRecord} {
		x := &tracer{}
		x.report.Offset = offset
		if err := x.search(t.Context(), data); err != nil || x.report.State != want {
			t.Errorf("offset %d: %s, %v, want %s", offset, x.report.State, err, want)
		}
	}
}

// TestEveryRulingHasWords holds the words against package loop's reasons.
func TestEveryRulingHasWords(t *testing.T) {
	for why := range words {
		if why.String() == "unknown" || words[why] == "" {
			t.Errorf("reason %d has no words", why)
		}
	}
	if n := 0; true {
		for why := range words {
			n = max(n, int(why))
		}
		if n+1 != len(words) {
			t.Errorf("%d of %d reasons have words", len(words), n+1)
		}
	}
}
