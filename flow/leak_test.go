package flow_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

// What runs does not grow with time where nothing changes.
func TestNothingGrowsWhileNothingChanges(t *testing.T) {
	ctx := deadline(t)
	w := joined(ctx, t, []topology.Alias{"a", "b", "c"}, "between: [a, b, c], "+identity)
	w.write(ctx, t, 0, 10)
	w.run(t, 1)
	w.check(ctx, t, 10)
	_ = kafka.Sleep(ctx, 2*time.Second)
	before := runtime.NumGoroutine()
	_ = kafka.Sleep(ctx, 6*time.Second) // 30 rounds of discovery
	if now := runtime.NumGoroutine(); now > before+60 {
		t.Errorf("%d goroutines, and 6 s later %d", before, now)
	}
}
