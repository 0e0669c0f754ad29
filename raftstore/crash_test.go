package raftstore

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

const crashDir = "MESHD_TEST_CRASH_DIR"

// propositions is the process that TestKilled kills: it proposes one assignment after the other, and says which were agreed on.
func propositions(dir string) error {
	d, err := OpenDir(dir, Identity{Mesh: "m", Datacenter: "dc", Node: "n0"})
	if err != nil {
		return err
	}
	s, err := Open(Config{
		Dir: d, Bind: "127.0.0.1:0", Advertise: "127.0.0.1:1", Voters: []Voter{{Node: "n0", Address: "127.0.0.1:1"}},
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	changed, stop := s.Watch()
	defer stop()
	for !s.IsLeader() {
		<-changed
	}
	for {
		at, _ := s.State()
		result, _, err := s.Propose(context.Background(), assign(at.Assignment.Epoch, "n"+strconv.FormatUint(at.Assignment.Epoch, 10)))
		if err != nil {
			return err
		}
		fmt.Println(result.Epoch)
	}
}

// What was agreed on is there after kill -9, at once, and the directory is free.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	acknowledged := uint64(0)
	for round := range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), crashDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 20 + 7*round {
			if !lines.Scan() {
				break
			}
			if acknowledged, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
				t.Error(err)
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = child.Wait() // killed
		p := &peer{dir: dir, id: Identity{Mesh: "m", Datacenter: "dc", Node: "n0"}}
		p.cfg = Config{Bind: "127.0.0.1:0", Advertise: "127.0.0.1:1", Log: slog.New(slog.DiscardHandler)}
		p.start(t)
		if s, _ := p.State(); acknowledged == 0 || s.Assignment.Epoch < acknowledged {
			t.Errorf("epoch %d was acknowledged, %d is there", acknowledged, s.Assignment.Epoch)
		}
		p.stop(t)
	}
}
