package integration

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/wire"
	"github.com/meshd/meshd/test/validate"
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

// The progress topic is lost under load. Headers say how far the copy had come; without them it stops, and nothing is copied twice.
func TestIdentityProgressLost(t *testing.T) {
	parallel(t)
	c, _ := loseProgress(t, "")
	c.verify(t, c.produced)
}

func TestIdentityProgressOfBatchesLost(t *testing.T) {
	parallel(t)
	c, m := loseProgress(t, "\n    provenance: batch")
	c.unstamped = true
	p := m.awaitReason(t, "eu-1", "resume_point_lost", c.topic)
	report := c.judge(t, patience/4)
	if only := (validate.Counts{validate.Lost: report.Counts[validate.Lost]}); report.Counts != only {
		t.Errorf("more than missing: %s", report)
	}
	t.Logf("%s; it said: %s (%s)", report.Counts, p.Text, p.Hint)
}

// forgetful is a topic whose progress at eu was lost, after which so many records were produced.
type forgetful struct {
	common
	produced map[string]int
}

func loseProgress(t *testing.T, more string) (forgetful, *mesh) {
	t.Helper()
	us, eu := own(t, "us"), own(t, "eu") // others would not find their progress either
	c := newCommon(t, 4, us, eu)
	m := newMesh(t, identity("us, eu", c.topic)+more, us, eu)
	m.startAll(t)
	loads, there := c.load(t, kafkatest.Workload{Partitions: 4}, 500), startTally(t, eu, c.topic)
	there.awaitMore(t, 1_000, "us")
	deleteTopic(t, eu, "meshd.progress.us")
	produced := loads.stop(t)
	m.latest["eu-1"].stop(t)
	m.again(t, "eu-1")
	return forgetful{c, produced}, m
}
