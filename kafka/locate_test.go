package kafka_test

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A topic that was named is absent only where the cluster says that it does not know it: of anything else nobody knows whether it is there.
func TestLocateTellsAbsentFromUnknown(t *testing.T) {
	r := newReading(t, 1)
	if at, err := r.cluster.Locate(r.ctx, "orders", "none"); err != nil || len(at) != 1 {
		t.Errorf("%v: %v", at, err)
	}
	r.fake.ControlKey(int16(kmsg.Metadata), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		resp := kreq.ResponseKind().(*kmsg.MetadataResponse)
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.ErrorCode = new("orders"), kerr.LeaderNotAvailable.Code
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	if at, err := r.cluster.Locate(r.ctx, "orders"); !errors.Is(err, kerr.LeaderNotAvailable) {
		t.Errorf("%v: %v", at, err)
	}
	if at, err := r.cluster.Locate(r.ctx); err != nil || len(at) != 0 {
		t.Errorf("of all topics: %v: %v", at, err)
	}
}
