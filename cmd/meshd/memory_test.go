package main

import (
	"runtime"
	"testing"
)

func TestMemoryLimitGrowsWithWhatIsInUse(t *testing.T) {
	for used, want := range map[uint64]int64{0: memoryAim, 60 << 20: memoryAim, 400 << 20: 515 << 20} {
		if got := memoryLimit(used); got != want {
			t.Errorf("%d MiB in use: a limit of %d MiB, want %d", used>>20, got>>20, want>>20)
		}
	}
}

func TestInUse(t *testing.T) {
	held := make([]byte, 50<<20)
	runtime.GC()
	if got := inUse(); got < 50<<20 || got > 1<<30 {
		t.Errorf("%d bytes in use while %d are held", got, len(held))
	}
	runtime.KeepAlive(held)
}
