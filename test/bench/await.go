package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// await looks every few milliseconds until it is so. It gives up when a process ends, or when what it sees has not changed for
// longer than patience.
func await(ctx context.Context, what string, processes []*process, look func() (saw string, done bool)) error {
	return awaitFor(ctx, patience, what, processes, look)
}

func awaitFor(ctx context.Context, patience time.Duration, what string, processes []*process, look func() (saw string, done bool)) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	before, since := "", time.Now()
	for {
		saw, done := look()
		if done {
			return nil
		}
		if saw != before {
			before, since = saw, time.Now()
		}
		for _, p := range processes {
			if err := p.failed(); err != nil {
				return fmt.Errorf("waiting for %s: %w", what, err)
			}
		}
		if time.Since(since) > patience {
			return fmt.Errorf("waiting for %s: no change for %s after %s%s", what, patience, saw, said(processes))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func said(processes []*process) string {
	var text strings.Builder
	for _, p := range processes {
		text.WriteString("\n" + p.tail(10))
	}
	return text.String()
}

// pass lets time go by.
func pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
