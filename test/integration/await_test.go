package integration

import (
	"testing"
	"time"
)

// patience is how long a test waits for what should come soon. It is long: the machine may be busy with other tests.
var patience = pick(60*time.Second, 120*time.Second)

// await asks until the answer is yes, and ends the test with what it saw last if that takes too long.
func await(t testing.TB, what string, look func() (saw string, done bool)) {
	t.Helper()
	awaitFor(t, patience, what, look)
}

func awaitFor(t testing.TB, limit time.Duration, what string, look func() (saw string, done bool)) {
	t.Helper()
	if saw, ok := poll(t, limit, look); !ok {
		t.Fatalf("waited %s for %s; last seen: %s", limit, what, saw)
	}
}

func poll(t testing.TB, limit time.Duration, look func() (saw string, done bool)) (saw string, ok bool) {
	deadline, tick := time.NewTimer(limit), time.NewTicker(50*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for {
		if saw, ok = look(); ok {
			return saw, true
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return saw, false
		case <-t.Context().Done():
			return saw, false
		}
	}
}
