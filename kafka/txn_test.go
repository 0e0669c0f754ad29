package kafka_test

import (
	"context"
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Where the time ends while the coordinator is asked once more, what it answered before is told: a deadline alone says nothing.
func TestInitProducerTellsWhatItMet(t *testing.T) {
	r := newReading(t, 1)
	r.fake.ControlKey(int16(kmsg.InitProducerID), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		resp := kreq.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = kerr.ConcurrentTransactions.Code
		return resp, nil, true
	})
	ctx, cancel := context.WithCancel(r.ctx)
	asked := 0
	r.fake.ControlKey(int16(kmsg.FindCoordinator), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		if asked++; asked == 2 {
			cancel()
		}
		return nil, nil, false
	})
	if _, err := r.cluster.InitProducer(ctx, "shard"); !errors.Is(err, kerr.ConcurrentTransactions) || !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
