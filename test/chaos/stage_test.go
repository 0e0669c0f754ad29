package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/test/validate"
)

// stage is where a scenario is played: two nodes in eu, one of which copies a topic of a single partition.
type stage struct {
	*mesh
	us, eu  *side
	t       *testing.T
	mutant  bool // of the code
	feed    feed
	plain   *kgo.Client         // leaves no gaps in the log
	txns    *kgo.Client         // leaves a marker behind each transaction
	ids     map[string][16]byte // of eu, by topic
	written int                 // records
	count   atomic.Int64        // that have arrived

	mu   sync.Mutex
	seen map[string]int // produce requests with the topic's records, and others with its progress, by client
}

// newStage starts the nodes, writes something and returns when it has arrived.
func newStage(t *testing.T, meshd string, us, eu *side, sc *scenario) *stage {
	t.Helper()
	topic := kafkatest.UniqueTopic(t, "scene")
	us.CreateTopic(t, topic, 1, sc.configs...)
	link := fmt.Sprintf("  - from: [us]\n    to: [eu]\n    topics: {include: [%q]}\n    replication_factor: 1", topic)
	s := &stage{mesh: newMesh(t, meshd, []*side{us, eu}, theNodes, link), us: us, eu: eu, t: t, mutant: meshd != binary, seen: map[string]int{}}
	s.feed = feed{from: us, to: eu, partitions: 1, topic: topic}
	options := []kgo.Opt{kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(codec)}
	s.plain, s.txns = us.Client(t, options...), us.Client(t, append(options, kgo.TransactionalID(topic))...)
	s.consume()
	t.Cleanup(s.kill)
	for _, name := range s.names() {
		s.start(t, name)
	}
	s.await("the nodes to share the shards", s.shared)
	s.write(100)
	s.arrived()
	s.observe()
	return s
}

// names are the nodes of the scene.
func (s *stage) names() []string { return []string{"eu-1", "eu-2"} }

// shared says whether both nodes hold shards, and all of them.
func (s *stage) shared() bool {
	out, err := exec.CommandContext(s.t.Context(), s.binary, "nodes", "-o", "json", "--admin", s.admin["eu-1"]).Output()
	if err != nil {
		return false
	}
	var answer struct {
		Nodes []struct {
			Datacenter string
			Shards     int
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		s.t.Fatal(err)
	}
	shards := 0
	for _, n := range answer.Nodes {
		if shards += n.Shards; n.Datacenter == "eu" && n.Shards == 0 {
			return false
		}
	}
	return shards == 32
}

// consume counts what arrives.
func (s *stage) consume() {
	client := s.eu.Client(s.t, kgo.ConsumeTopics(s.feed.remote()), kgo.MetadataMaxAge(500*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.UnknownTopicRetries(-1), kgo.FetchMaxWait(100*time.Millisecond))
	ctx, halt := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			s.count.Add(int64(client.PollFetches(ctx).NumRecords()))
		}
	}()
	s.t.Cleanup(func() { halt(); <-done })
}

// ownerAndHeir are the node that copies the topic, and the other one.
func (s *stage) ownerAndHeir() (owner, heir *node) {
	owner, heir = s.nodes["eu-1"], s.nodes["eu-2"]
	before := [2]int{s.sent(owner, s.data), s.sent(heir, s.data)}
	s.write(10)
	s.arrived()
	if s.sent(heir, s.data) > before[1] {
		return heir, owner
	}
	if s.sent(owner, s.data) == before[0] {
		s.t.Fatal("nobody is seen to copy the topic")
	}
	return owner, heir
}

// write writes records, ten to a batch.
func (s *stage) write(n int) {
	s.t.Helper()
	for range n / 10 {
		if err := s.plain.ProduceSync(s.t.Context(), s.records(10)...).FirstErr(); err != nil {
			s.t.Fatalf("producing: %v", err)
		}
	}
}

// writeTransaction writes records, and a marker behind them.
func (s *stage) writeTransaction(n int) {
	s.t.Helper()
	if err := commit(s.t.Context(), s.txns, s.records(n), kgo.TryCommit); err != nil {
		s.t.Fatalf("producing: %v", err)
	}
}

func (s *stage) records(n int) []*kgo.Record {
	w := kafkatest.Workload{Partitions: 1, Start: time.Now()}
	var records []*kgo.Record
	for range n {
		records = append(records, w.Record(s.written))
		s.written++
	}
	return records
}

func (s *stage) copied() int { return int(s.count.Load()) }

// arrived waits until as many records have arrived as were written.
func (s *stage) arrived() {
	s.t.Helper()
	all := func() bool { return s.copied() >= s.written }
	if s.mutant { // it may lose something at any time, and be caught by that
		s.look(curtain, all)
		return
	}
	s.await("what was written to arrive", all)
}

const curtain = 2 * time.Minute

// await waits for something that must come.
func (s *stage) await(what string, done func() bool) {
	s.t.Helper()
	if !s.look(curtain, done) {
		s.t.Fatalf("waited %s for %s: %d records of %d arrived\n%s", curtain, what, s.copied(), s.written, s.logs())
	}
}

// look waits for something that may come.
func (s *stage) look(limit time.Duration, done func() bool) bool {
	deadline, tick := time.NewTimer(limit), time.NewTicker(20*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return done()
		}
	}
	return true
}

// judge writes a little more, which must still arrive, and compares.
func (s *stage) judge(limit time.Duration) validate.Report {
	s.t.Helper()
	s.write(50)
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	report, err := validate.Until(ctx, s.us.Client(s.t), s.eu.Client(s.t), s.feed.topic, s.feed.remote())
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

// logs are what the nodes said last.
func (s *stage) logs() string {
	var text strings.Builder
	for _, name := range s.names() {
		fmt.Fprintf(&text, "%s said last:\n%s\n", name, s.nodes[name].tail(25))
	}
	return text.String()
}
