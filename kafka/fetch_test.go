package kafka_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/kafka"
)

// A leader that is known is asked without metadata; one that is wrong is found.
func TestOffsets(t *testing.T) {
	r := newReading(t, 3)
	for range 5 {
		r.produce(1, "a")
	}
	ps := r.locate()
	r.cluster = dial(t, r.fake.ListenAddrs()) // one that knows nothing yet
	asked := make(chan struct{}, 100)
	r.fake.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		if len(req.(*kmsg.MetadataRequest).Topics) > 0 {
			asked <- struct{}{}
		}
		return nil, nil, false
	})
	check := func(ps []kafka.Partition) {
		t.Helper()
		ends, err := r.cluster.Offsets(r.ctx, ps, kafka.End)
		if err != nil {
			t.Fatal(err)
		}
		for i, end := range ends {
			if want := int64(5 * (int(ps[i].Number) % 2)); end.Err != nil || end.At != want {
				t.Errorf("%s ends at %d, want %d: %v", ps[i], end.At, want, end.Err)
			}
		}
	}
	check(ps)
	if len(asked) > 0 {
		t.Errorf("topics were asked for %d times", len(asked))
	}
	ps[1].Leader = 7
	check(ps)
	ps[0].Leader, ps[2].Leader = 7, 7
	check(ps)
}
