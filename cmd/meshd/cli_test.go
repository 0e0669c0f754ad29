package main

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshd/meshd/admin"
	"github.com/meshd/meshd/admin/admintest"
)

var rewrite = flag.Bool("rewrite", false, "write what the commands print to the files of testdata")

// TestCommands runs the files of testdata/cli. A line "$ meshd ..." is a command; what follows is what it prints, with a "! " before
// the lines of stderr, and how it exits where that is not 0. {well} and the like stand for nodes of package admintest.
func TestCommands(t *testing.T) {
	files, err := filepath.Glob("testdata/cli/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runFile(t, file) })
		})
	}
}

func runFile(t *testing.T, file string) {
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := newConsole(t)
	var got strings.Builder
	for line := range strings.Lines(string(want)) {
		switch {
		case strings.HasPrefix(line, "#"):
			if got.Len() > 0 {
				got.WriteString("\n")
			}
			got.WriteString(line)
		case strings.HasPrefix(line, "$ meshd "):
			if got.Len() > 0 && !strings.HasPrefix(lastLine(got.String()), "#") {
				got.WriteString("\n")
			}
			got.WriteString(line + c.run(strings.Fields(line)[2:]))
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	return lines[len(lines)-1]
}

// console runs commands against nodes that answer on ports of this machine.
type console struct {
	t     *testing.T
	names *strings.Replacer // {well} -> address
	back  *strings.Replacer
}

func newConsole(t *testing.T) *console {
	t.Helper()
	t.Setenv("MESHD_ADMIN", "")
	calm := admintest.Well(time.Now())
	calm.Flow.Pairs[0].Topics = calm.Flow.Pairs[0].Topics[1:]
	idle := admintest.Well(time.Now())
	idle.Flow.Pairs, idle.ByHome, idle.Translations = nil, nil, nil
	var names, back []string
	for name, node := range map[string]*admintest.Node{
		"well": admintest.Well(time.Now()), "second": admintest.Second(time.Now()), "troubled": admintest.Troubled(time.Now()),
		"cut": admintest.Cut(time.Now()), "starting": admintest.Starting(), "calm": calm, "idle": idle, "spoke": admintest.Spoke(time.Now()),
	} {
		address := serve(t, admin.Config{
			Node: node.Name, Datacenter: "eu", Build: "1.2.0", Watch: admin.NewWatch(node, node), Groups: node, Nodes: node, Translator: node, Topologies: node,
		})
		names, back = append(names, "{"+name+"}", address), append(back, address, "{"+name+"}")
	}
	bare, dead := serve(t, admin.Config{Node: "eu-3"}), closedPort(t)
	names = append(names, "{bare}", bare, "{silent}", dead)
	back = append(back, bare, "{bare}", dead, "{silent}")
	return &console{t, strings.NewReplacer(names...), strings.NewReplacer(back...)}
}

// serve runs a server until the test ends. All of a test end at once: in a bubble, no time would pass for one that waits for its last
// connection while another listens.
func serve(t *testing.T, cfg admin.Config) string {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	s, err := admin.Listen(t.Context(), "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s.Addr().String()
}

// closedPort is one on which nobody answers.
func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

func (c *console) run(args []string) string {
	for i := range args {
		args[i] = c.names.Replace(args[i])
	}
	var stdout, stderr bytes.Buffer
	code := run(c.t.Context(), args, &stdout, &stderr)
	var out strings.Builder
	out.WriteString(stdout.String())
	for line := range strings.Lines(stderr.String()) {
		out.WriteString("! " + line)
	}
	if code != exitDone {
		fmt.Fprintf(&out, "exit %d\n", code)
	}
	return c.back.Replace(out.String())
}

func TestEveryCommandHasAnExample(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		if cmd.Short == "" || cmd.Args == nil || cmd.Name() != "version" && !strings.Contains(cmd.Example, "meshd "+cmd.Name()) {
			t.Errorf("%s: example %q, short %q", cmd.Name(), cmd.Example, cmd.Short)
		}
	}
}
