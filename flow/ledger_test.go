package flow

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/meshd/meshd/kafka"
)

// A ledger that takes nothing ends the epoch with the reason, instead of holding up the whole shard in silence.
func TestALedgerThatTakesNothingIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		prod := NewProducer(nil, nil, kafka.NewDirectory(nil, time.Hour))
		defer prod.Close()
		acks := make(chan Ack, 1)
		l := &ledger{acks: acks, stamp: func() int64 { return 1 }}
		l.outlet = prod.Outlet("t", 0, func(a Ack) { acks <- a }, nil)
		defer func() { l.outlet.Close() }()
		l.outlet.since, l.outlet.trouble, l.outlet.repeating = time.Now(), kerr.NotEnoughReplicas, true
		done := make(chan error, 1)
		go func() { done <- l.append(t.Context(), []entry{{key: "k"}}) }()
		select {
		case err := <-done:
			if !errors.Is(err, kerr.NotEnoughReplicas) {
				t.Fatal(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("it waits for good")
		}
	})
}
