package integration

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
)

// The disk of the source's broker damages a batch. Its partition stops there and says so everywhere that a person looks; where the topology
// wants it, the copy goes on behind it.
func TestDamagedLog(t *testing.T) {
	kafkatest.RealOnly(t, "kfake has no segment files to damage")
	disk, eu := own(t, "disk", kafkatest.Restartable()), shared(t, "eu")[0] // eu remembers the registry of each cluster by its name
	for name, damage := range map[string]func(b []byte){
		"flipped": func(b []byte) { b[len(b)-5] ^= 1 },
		"format":  func(b []byte) { b[16] = 9 },
	} {
		c := copyOf{disk, eu, kafkatest.UniqueTopic(t, name)}
		t.Run(name, func(t *testing.T) { c.survivesDamage(t, damage) })
	}
}

// damage fills a topic with three batches, and has the broker's disk damage the second.
func (c copyOf) damage(t *testing.T, damage func(b []byte)) {
	c.from.CreateTopic(t, c.topic, 1)
	for i := range 3 {
		produceBatch(t, c.from, c.topic, 10*i)
	}
	c.from.Stop(t)
	damageSecond(t, c.from.Segment(t, 1, c.topic, 0), damage)
	c.from.Restart(t)
}

func (c copyOf) survivesDamage(t *testing.T, damage func(b []byte)) {
	c.damage(t, damage)
	m := newMesh(t, oneWay("disk", "eu", c.topic), c.from, c.to)
	n := m.start(t, "eu-1")
	p := m.awaitReason(t, "eu-1", "corrupt_batch", c.topic)
	if !strings.Contains(p.Text, "offset 10 ") || !strings.Contains(p.Hint, "on_gap: continue") {
		t.Errorf("no offset, or no next step: %+v", p)
	}
	m.explains(t, c.topic, "corrupt_batch", p.Text)
	m.shows(t, fmt.Sprintf(`meshd_corrupt_batches_total{destination="eu",link="disk->eu",source="disk",topic=%q} 1`, c.topic), `meshd_errors_total{class="corrupt_batch"} 1`)
	startWatch(t, c.to, c.remote()).await(t, 10)
	n.stop(t)

	m.links += "\n    on_gap: continue"
	m.write(t)
	m.start(t, "eu-1")
	startWatch(t, c.to, c.remote()).await(t, 20)
	w := m.awaitReason(t, "eu-1", "corrupt_batch_skipped", "offsets 10 to 19 ")
	m.explains(t, c.topic, "corrupt_batch_skipped", w.Text)
	m.shows(t, fmt.Sprintf(`meshd_suppressed_records_total{destination="eu",link="disk->eu",reason="gap",source="disk",topic=%q} 10`, c.topic))
	t.Logf("it said: %s; and then: %s", p.Text, w.Text)
}

// explains checks what `meshd explain topic` prints.
func (m *mesh) explains(t *testing.T, topic string, words ...string) {
	t.Helper()
	code, out, errs := command(t, "explain", "topic", topic, "--admin", m.admin["eu-1"])
	for _, w := range words {
		if code != 0 || !strings.Contains(strings.Join(strings.Fields(out), " "), w) {
			t.Errorf("explain does not say %q: exit code %d\n%s%s", w, code, out, errs)
		}
	}
}

// shows waits until a node's metrics have these lines.
func (m *mesh) shows(t *testing.T, lines ...string) {
	t.Helper()
	await(t, fmt.Sprintf("metrics %q", lines), func() (string, bool) {
		body, err := m.metrics("eu-1")
		for _, l := range lines {
			if !strings.Contains(body, l+"\n") {
				return fmt.Sprintf("%v\n%s", err, body), false
			}
		}
		return "", true
	})
}

// metrics are what a node exposes to Prometheus.
func (m *mesh) metrics(node string) (string, error) {
	response, err := http.Get("http://" + m.admin[node] + "/metrics")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// batchMark begins the value of each record of produceBatch.
const batchMark = "the value of record "

// produceBatch writes ten records as one batch.
func produceBatch(t *testing.T, s *site, topic string, from int) {
	t.Helper()
	client := s.Client(t, kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(kgo.NoCompression()))
	var records []*kgo.Record
	for i := range 10 {
		records = append(records, &kgo.Record{Value: fmt.Appendf(nil, "%s%d", batchMark, from+i)})
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// damageSecond gives the second batch of a segment to damage. A batch's length is the int32 at its byte 8, and does not count 12 bytes.
func damageSecond(t *testing.T, file string, damage func(b []byte)) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	size := func(b []byte) int { return 12 + int(uint32(b[8])<<24|uint32(b[9])<<16|uint32(b[10])<<8|uint32(b[11])) }
	second := content[size(content):]
	second = second[:size(second)]
	if !bytes.Contains(second, []byte(batchMark+"10")) {
		t.Fatalf("%s does not hold record 10 in its second batch", filepath.Base(file))
	}
	damage(second)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
