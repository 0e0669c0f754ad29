package main

import (
	"testing"
	"time"
)

func TestUsage(t *testing.T) {
	// proc_pid_stat(5): utime and stime are fields 14 and 15; the name may hold spaces and parentheses.
	const stat = "4711 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 13 14 20 0 9"
	if got, err := cpuTime(stat); err != nil || got != 3*time.Second {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := cpuTime("4711 (a) S"); err == nil {
		t.Error("a line without the fields is taken")
	}
	if got, err := peakMemory("VmPeak:\t  900 kB\nVmHWM:\t    128 kB\nVmRSS:\t  64 kB\n"); err != nil || got != 128<<10 {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := peakMemory("State:\tZ (zombie)\n"); err == nil {
		t.Error("the memory of a process that ended")
	}
}
