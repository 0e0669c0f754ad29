package flow

import (
	"testing"
	"time"
)

func TestThrottleKeepsItsRate(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer int
	}{{"small answers", 1000}, {"answers of seconds", 3_000_000}} {
		t.Run(tc.name, func(t *testing.T) {
			begin := time.Unix(0, 0)
			now, read := begin, 0
			var th throttle
			th.set(1_000_000, now)
			for now.Sub(begin) < time.Minute {
				if at := th.ready(now); !at.IsZero() {
					now = at
					continue
				}
				th.spend(tc.answer, now)
				read += tc.answer
			}
			if rate := float64(read) / now.Sub(begin).Seconds(); rate < 0.94e6 || rate > 1.06e6 {
				t.Errorf("%.0f bytes/s, want 1,000,000", rate)
			}
			if w := th.Waited(); w < 50*time.Second || w > 70*time.Second {
				t.Errorf("says it waited %s in a minute of always wanting more", w)
			}
		})
	}
}

func TestThrottleLeavesASlowStreamAlone(t *testing.T) {
	now := time.Unix(0, 0)
	var th throttle
	th.set(1_000_000, now)
	for range 1000 {
		now = now.Add(10 * time.Millisecond)
		if at := th.ready(now); !at.IsZero() {
			t.Fatalf("held back until %s at half the rate", at.Sub(now))
		}
		th.spend(5_000, now)
	}
	if th.Waited() != 0 {
		t.Errorf("says it waited %s", th.Waited())
	}
}
