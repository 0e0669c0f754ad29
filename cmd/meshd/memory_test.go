package main

import "testing"

func TestMemoryLimit(t *testing.T) {
	const mib = 1 << 20
	for _, tc := range []struct{ batches, inUse, want int64 }{
		{64 * mib, 10 * mib, 104 * mib},  // at rest
		{64 * mib, 67 * mib, 104 * mib},  // as many batches as there may be
		{64 * mib, 200 * mib, 270 * mib}, // many partitions
		{512 * mib, 10 * mib, 552 * mib}, // more batches
		{64 * mib, inUse(), 104 * mib},   // this process
	} {
		if got := memoryLimit(tc.batches, tc.inUse); got != tc.want {
			t.Errorf("%d MiB of batches, %d in use: %d MiB, want %d", tc.batches/mib, tc.inUse/mib, got/mib, tc.want/mib)
		}
	}
}
