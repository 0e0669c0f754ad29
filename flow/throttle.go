package flow

import (
	"sync"
	"time"
)

// throttle holds the partitions that share it to a rate. What one answer brought is taken at once, and paid for by waiting: nothing is
// read until the debt is gone. It may save up a quarter of a second, so that a steady stream below the rate never waits.
type throttle struct {
	mu     sync.Mutex
	rate   float64 // bytes/s; 0: nothing may be read
	saved  float64 // bytes; below 0: debt
	at     time.Time
	waited time.Duration
}

const throttleSaves = 250 * time.Millisecond

func (t *throttle) set(rate float64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(now)
	t.rate = rate
}

func (t *throttle) settle(now time.Time) {
	if !t.at.IsZero() {
		t.saved = min(t.saved+t.rate*now.Sub(t.at).Seconds(), t.rate*throttleSaves.Seconds())
	}
	t.at = now
}

// spend pays for n bytes.
func (t *throttle) spend(n int, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(now)
	if t.saved -= float64(n); t.saved < 0 && t.rate > 0 {
		t.waited += min(time.Duration(float64(n)/t.rate*float64(time.Second)), t.debt())
	}
}

func (t *throttle) debt() time.Duration {
	return time.Duration(-t.saved / t.rate * float64(time.Second))
}

// ready returns when something may be read; zero is now.
func (t *throttle) ready(now time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(now)
	switch {
	case t.rate <= 0:
		return now.Add(time.Second)
	case t.saved < 0:
		return now.Add(max(t.debt(), time.Millisecond))
	}
	return time.Time{}
}

// Waited is how long reading has been held back so far.
func (t *throttle) Waited() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waited
}
