package admin

import (
	"testing"
	"time"
)

// What a look costs decides how often there is one.
func TestPause(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		0: time.Second, 9 * time.Millisecond: time.Second, 30 * time.Millisecond: 3 * time.Second, time.Minute: 5 * time.Second,
	} {
		if got := pause(took); got != want {
			t.Errorf("after %s: %s, want %s", took, got, want)
		}
	}
}
