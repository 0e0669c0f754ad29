package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meshd/meshd/checkpoint"
)

// stage is clusters, and a topology file that names them.
type stage struct {
	file    string
	clients map[string]*kgo.Client
	admins  map[string]*kadm.Client
}

func newStage(t *testing.T, links string, names ...string) *stage {
	t.Helper()
	s := &stage{file: filepath.Join(t.TempDir(), "topology.yaml"), clients: map[string]*kgo.Client{}, admins: map[string]*kadm.Client{}}
	var text, nodes strings.Builder
	text.WriteString("version: 1\nmesh: test\nclusters:\n")
	for i, a := range names {
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID(t.Name()[len(t.Name())-8:]+a))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cl.Close)
		s.clients[a], s.admins[a] = cl, kadm.NewClient(cl)
		fmt.Fprintf(&text, "  %s: {bootstrap: [%q]}\n", a, c.ListenAddrs()[0])
		fmt.Fprintf(&nodes, "  %s-1: {datacenter: %s, address: 127.0.0.%d}\n", a, a, i+1)
	}
	if err := os.WriteFile(s.file, []byte(text.String()+"nodes:\n"+nodes.String()+"links:\n"+links), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) create(t *testing.T, at, topic string) {
	t.Helper()
	if _, err := s.admins[at].CreateTopic(t.Context(), 2, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
}

// meshd runs a command against the topology; every * in it stands for its file.
func (s *stage) meshd(ctx context.Context, line string) (out string, code int) {
	var stdout, stderr bytes.Buffer
	args := strings.Fields(line)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "*", s.file)
	}
	code = run(ctx, args, &stdout, &stderr)
	return strings.ReplaceAll(stdout.String()+stderr.String(), s.file, "*"), code
}

func (s *stage) expect(t *testing.T, line, want string, code int) {
	t.Helper()
	got, exit := s.meshd(t.Context(), line)
	if got != want || exit != code {
		t.Errorf("meshd %s\nprints  %s(exit %d)\nwant    %s(exit %d)", line, got, exit, want, code)
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	s := newStage(t, "  - {between: [us, eu], naming: identity, topics: {include: [orders]}}\n", "us", "eu")
	s.create(t, "us", "orders")
	s.expect(t, "accept orders --at us --topology *", "orders at us: accepted as incarnation 1\n", exitDone)
	s.expect(t, "accept orders --at us --topology *", "orders at us: nothing to accept: it is incarnation 1 already\n", exitDone)
	if _, err := s.admins["us"].DeleteTopics(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	s.expect(t, "accept orders --at us --topology *", "meshd: topic orders is not at cluster us\n  hint: name the topic as it is named there\n", exitFailed)
	s.create(t, "us", "orders")
	s.expect(t, "accept orders --at us --topology * -o json", `{
  "topic": "orders",
  "cluster": "us",
  "incarnation": 2,
  "already": false
}
`, exitDone)
	s.expect(t, "accept orders --at ap --topology *", "meshd: the topology has no cluster ap\n", exitUsage)
	s.expect(t, "accept orders --at us --topology * -o xml", "meshd: --output wants table or json, not \"xml\"\n", exitUsage)
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	s := newStage(t, "  - {from: [us], to: [eu], topics: {include: [orders]}}\n", "us", "eu")
	s.create(t, "us", "orders")
	s.create(t, "eu", "us.orders")
	s.expect(t, "adopt orders --from us --at mars --topology *", "meshd: the topology has no cluster mars\n", exitUsage)
	s.expect(t, "adopt orders --from eu --at us --topology *", "meshd: no link leads from eu to us\n", exitUsage)
	s.expect(t, "adopt logs --from us --at eu --topology *", "meshd: link us->eu does not carry topic logs\n", exitUsage)
	s.expect(t, "adopt orders --from us --at eu --topology * --local -o xml", "meshd: --output wants table or json, not \"xml\"\n", exitUsage)
	s.expect(t, "adopt orders --from us --at eu --topology * --local", "us.orders at eu: declared local\n", exitDone)
	s.produce(t, "eu", "us.orders", 2)
	s.expect(t, "adopt orders --from us --at eu --topology *", "meshd: us.orders/0 can't be adopted: it holds records, and mm2-offsets.us.internal has no position for it\n"+
		"  hint: delete the topic to copy it anew, or declare it local with remote: local\n", exitFailed)
	s.note(t, "eu", "us.orders", `{"v":1,"kind":"adopted","origin":"us","topic":"orders","positions":{"0":7}}`)
	s.expect(t, "adopt orders --from us --at eu --topology *", "us.orders at eu: adopted as the copy of orders from us; copying goes on at map[0:7] (partition: source offset)\n", exitDone)
	s.expect(t, "adopt orders --from us --at eu --topology * -o json", `{
  "name": "us.orders",
  "cluster": "eu",
  "v": 1,
  "kind": "adopted",
  "origin": "us",
  "topic": "orders",
  "positions": {
    "0": 7
  }
}
`, exitDone)
}

func (s *stage) produce(t *testing.T, at, topic string, n int) {
	t.Helper()
	for i := range n {
		if err := s.clients[at].ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: []byte("v")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	s := newStage(t, "  - {between: [us, eu], naming: identity, topics: {include: [orders]}}\n  - {name: other, between: [us, ap], topics: {include: [logs]}}\n", "us", "eu", "ap")
	s.create(t, "us", "orders")
	s.create(t, "eu", "orders")
	s.produce(t, "us", "orders", 10)
	s.produce(t, "eu", "orders", 6)
	s.expect(t, "import orders --at eu --from us --topology *", "meshd: how far orders/0 of cluster us was copied is not known\n  hint: give the position of each partition with --position\n", exitFailed)
	file := filepath.Join(t.TempDir(), "positions.yaml")
	positions := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	line := "import orders --at eu --from us --topology * --position " + file
	positions("us: {0: 3}\n")
	s.expect(t, line, "meshd: how far orders/1 of cluster us was copied is not known\n  hint: give the position of each partition with --position\n", exitFailed)
	positions("us: {0: 3, 1: 300}\n")
	s.expect(t, line, "meshd: the position of orders/1 of cluster us is 300, and its log ends at 5\n  hint: it is of another topic: look where it comes from\n", exitFailed)
	positions("us: [3]\n")
	if out, code := s.meshd(t.Context(), line); code != exitUsage || !strings.Contains(out, "reading the positions in ") {
		t.Errorf("%s, exit %d", out, code)
	}
	positions("us: {0: 3, 1: 2}\n")
	want := "PARTITION  NOT SENT FROM eu  COPIED FROM  GOES ON AT\n0          below 3           us           3\n1          below 3           us           2\n"
	s.expect(t, line, "orders at eu: the cut taken\n"+want, exitDone)
	s.produce(t, "eu", "orders", 6)
	s.expect(t, line, "orders at eu: the cut was taken before\n"+want, exitDone)
	s.expect(t, "import logs --at us --from ap --topology *", "meshd: topic logs has naming: prefix: meshd adopt takes over its copies\n", exitUsage)
	s.expect(t, "import orders --at us --from us --topology *", "meshd: --from wants other clusters of the topology, not \"us\"\n", exitUsage)
	s.expect(t, "import orders --at us --from xx --topology *", "meshd: --from wants other clusters of the topology, not \"xx\"\n", exitUsage)

	s.expect(t, "accept orders --at us --topology *", "orders at us: accepted as incarnation 1\n", exitDone) // its registry is there then
	s.note(t, "us", checkpoint.FromKey("orders", "eu"), `{"v":1,"kind":"shared","origin":"eu","topic":"orders"}`)
	positions("eu: {0: 1, 1: 1}\n")
	s.expect(t, "import orders --at us --from eu --topology * --position "+file, "meshd: topic orders is carried already: the registry of cluster us has it from eu\n", exitRefused)
}

// note writes to a cluster's registry of topics.
func (s *stage) note(t *testing.T, at, key, value string) {
	t.Helper()
	if err := s.clients[at].ProduceSync(t.Context(), &kgo.Record{Topic: checkpoint.TopicsTopic, Key: []byte(key), Value: []byte(value)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}
