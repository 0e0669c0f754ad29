package integration

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
)

// Apache Kafka's own consumer starts at one cluster and continues at the other, and its tool shows the group there.
func TestJavaConsumerWanders(t *testing.T) {
	kafkatest.RealOnly(t, "kfake and the Java clients do not agree on all versions")
	sites := shared(t, "us", "eu")
	us, eu := sites[0], sites[1]
	const n = 1_000
	c := copyOf{us, eu, kafkatest.UniqueTopic(t, "java")}
	us.CreateTopic(t, c.topic, 3)
	produceNumbered(t, us, c.topic, n)
	newMesh(t, link("us, eu", c.topic), sites...).startAll(t)
	c.verify(t, n)
	g := group{copyOf: c, name: kafkatest.UniqueTopic(t, "java"), seen: map[string]int{}}
	g.console(t, us, c.topic, 400)
	g.awaitAt(t, eu)
	g.console(t, eu, c.remote(), 100)
	g.awaitAt(t, us)
	g.console(t, us, c.topic, 500)
	g.complete(t, n)
	g.awaitAt(t, eu)
	table := kafkaTool(t, "consumer-groups", "--bootstrap-server", eu.Bootstrap()[0], "--describe", "--group", g.name)
	for p := range 3 {
		want := fmt.Sprintf("%s %s %d", g.name, c.remote(), p)
		if !strings.Contains(strings.Join(strings.Fields(table), " "), want) {
			t.Errorf("no line %q in:\n%s", want, table)
		}
	}
	t.Logf("400 of %d records at us, 100 at eu, 500 at us: each once; the groups tool says at eu:\n%s", n, table)
}

// console has the console consumer read so many records as the group.
func (g *group) console(t *testing.T, s *site, topic string, n int) {
	t.Helper()
	out := kafkaTool(t, "console-consumer", "--bootstrap-server", s.Bootstrap()[0], "--topic", topic, "--group", g.name,
		"--max-messages", strconv.Itoa(n), "--timeout-ms", strconv.FormatInt(patience.Milliseconds(), 10),
		"--command-property", "auto.offset.reset=earliest")
	lines := strings.Fields(out)
	if len(lines) != n {
		t.Errorf("the console consumer read %d records of %d at %s", len(lines), n, s.alias)
	}
	for _, value := range lines {
		g.seen[value]++
	}
}

// kafkaTool runs one of Apache Kafka's tools and returns what it prints.
func kafkaTool(t *testing.T, arguments ...string) string {
	t.Helper()
	path, err := filepath.Abs("../../scripts/kafka-tool.sh")
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, arguments...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(arguments, " "), err, errs.String(), out.String())
	}
	return out.String()
}

func produceNumbered(t *testing.T, s *site, topic string, n int) {
	t.Helper()
	client := s.Client(t, kgo.DefaultProduceTopic(topic))
	var records []*kgo.Record
	for i := range n {
		records = append(records, &kgo.Record{Key: fmt.Append(nil, i), Value: fmt.Appendf(nil, "value-%d", i)})
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}
