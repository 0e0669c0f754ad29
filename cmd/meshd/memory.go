package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What is in use is mostly batches, which the garbage collector need not look into: collecting twice as often as Go does by default costs
// little, and saves much memory. It collects more often yet where the process would come to hold more than memoryAim bytes, but never more
// often than each time that a quarter of what is in use was added: a node with much to remember must not live for its collector.
const (
	garbage   = 50 // of what is in use, in percent
	memoryAim = 120 << 20
)

// frugal sets how much garbage may lie about, until ctx ends, unless the environment says so (GOGC, GOMEMLIMIT).
func frugal(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(garbage)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		debug.SetMemoryLimit(memoryLimit(inUse()))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// memoryLimit is the runtime's soft limit, in bytes, with so many in use.
func memoryLimit(used uint64) int64 { return max(memoryAim, int64(used+used/4)+memoryAim/8) }

// inUse is how many bytes of the heap the last collection found in use.
func inUse() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
