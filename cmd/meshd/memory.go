package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	besideBatches = 40 << 20 // of memory, beside the batches in flight: garbage, requests, and what is known of some thousand partitions
	lookAtMemory  = 5 * time.Second
)

// boundMemory has the collector keep the process near what it needs, until ctx ends. Left alone it lets as much garbage lie about as there
// is memory in use, which doubles the batches in flight. With so many partitions that what is known of them needs more, it gets more: a
// limit that can't be kept costs half of the CPU. It does nothing where GOMEMLIMIT is set.
func boundMemory(ctx context.Context, batches int64) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	tick := time.NewTicker(lookAtMemory)
	defer tick.Stop()
	for {
		debug.SetMemoryLimit(memoryLimit(batches, inUse()))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// memoryLimit leaves a quarter more than what is in use, and room for a few fetches.
func memoryLimit(batches, inUse int64) int64 {
	return max(batches+besideBatches, inUse*5/4+besideBatches/2)
}

// inUse is what the last collection left.
func inUse() int64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return int64(live[0].Value.Uint64())
}
