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
	text, nodes := "version: 1\nmesh: test\nclusters:\n", "nodes:\n"
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
		text += fmt.Sprintf("  %s: {bootstrap: [%q]}\n", a, c.ListenAddrs()[0])
		nodes += fmt.Sprintf("  %s-1: {datacenter: %s, address: 127.0.0.%d}\n", a, a, i+1)
	}
	if err := os.WriteFile(s.file, []byte(text+nodes+"links:\n"+links), 0o600); err != nil {
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
