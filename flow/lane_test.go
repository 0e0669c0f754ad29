package flow

import (
	"testing"
	"time"
)

// Answers grow over a long way, and shrink where the source is near; those that are not full say nothing.
func TestAnswerSize(t *testing.T) {
	size := int64(fetchLeast)
	for i, step := range []struct {
		full bool
		took time.Duration
		want int64
	}{
		{true, 100 * time.Millisecond, 8 << 20},
		{true, 100 * time.Millisecond, 16 << 20},
		{true, time.Second, 16 << 20},
		{false, time.Millisecond, 16 << 20},
		{true, 20 * time.Millisecond, 16 << 20},
		{true, time.Millisecond, 8 << 20},
		{true, time.Millisecond, 4 << 20},
		{true, time.Millisecond, 4 << 20},
		{false, time.Second, 4 << 20},
	} {
		got := int64(0)
		if step.full {
			got = size
		}
		if size = answerSize(size, got, step.took); size != step.want {
			t.Fatalf("step %d: %d, want %d", i, size, step.want)
		}
	}
}
