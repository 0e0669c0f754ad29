package integration

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/wire"
)

// A node is killed while it opens a partition for the first time: the map of it is there, and where it begins is not. Its successor begins.
func TestIdentityKilledAtTheBeginning(t *testing.T) {
	parallel(t)
	eu, line := behind(t, "eu")
	us := shared(t, "us")[0]
	c := newCommon(t, 1, us, eu)
	m := newMesh(t, "  - {from: [us], to: [eu], topics: {include: ["+c.topic+"]}, naming: identity}", us, eu)
	c.produceAt(t, us, 500, kafkatest.Workload{Partitions: 1})
	part := []byte(c.topic + "/0")
	page := []byte(c.topic + "/0@")
	place := line.Hold(func(r wire.Request) bool {
		return r.Client == "meshd/eu-1" && r.Key == int16(kmsg.Produce) && r.Contains(part) && !r.Contains(page)
	})
	t.Cleanup(place.Release)
	m.start(t, "eu-1")
	await(t, "progress on the way", func() (string, bool) { return "", place.Held() > 0 })
	m.latest["eu-1"].Kill()
	place.Drop()
	m.again(t, "eu-1")
	c.verify(t, map[string]int{"us": 500})
}
