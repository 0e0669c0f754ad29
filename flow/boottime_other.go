//go:build !linux

package flow

import "time"

// bootTime is Go's own clock of durations; it may stand still while the machine sleeps.
func bootTime() time.Duration { return monotonic() }
