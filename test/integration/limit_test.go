package integration

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
)

// A limit holds the copy back, without loss, and for how long is a metric.
func TestLimit(t *testing.T) {
	parallel(t)
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "limited")}
	us.CreateTopic(t, c.topic, 2)
	n := len(us.Produce(t, c.topic, kafkatest.Workload{Records: 1_000, Partitions: 2, Size: 1_000}))
	m := newMesh(t, oneWay("us", "eu", c.topic)+"\n    limit: {bytes_per_second: 200KiB}", sites...)
	m.start(t, "eu-1")
	c.verify(t, n)
	first := m.throttled(t, 0)
	n += len(us.Produce(t, c.topic, kafkatest.Workload{Seed: 1, Records: 1_000, Partitions: 2, Size: 1_000}))
	c.verify(t, n)
	t.Logf("held back for %.1f s after %d records, for %.1f s after %d", first, n/2, m.throttled(t, first), n)
}

// throttled waits until reading was held back for longer than so many seconds, and returns for how long.
func (m *mesh) throttled(t *testing.T, longer float64) (seconds float64) {
	t.Helper()
	const name = `meshd_throttled_seconds_total{destination="eu",link="us->eu",source="us"} `
	await(t, fmt.Sprintf("%s to pass %g", name, longer), func() (string, bool) {
		body, err := m.metrics("eu-1")
		_, rest, _ := strings.Cut(body, "\n"+name)
		value, _, _ := strings.Cut(rest, "\n")
		seconds, _ = strconv.ParseFloat(value, 64)
		return fmt.Sprintf("%q, %v", value, err), seconds > longer
	})
	return seconds
}
