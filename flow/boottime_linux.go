package flow

import (
	"time"

	"golang.org/x/sys/unix"
)

// bootTime goes on while the machine sleeps, unlike Go's own clock of durations.
func bootTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return monotonic()
	}
	return time.Duration(t.Nano())
}
