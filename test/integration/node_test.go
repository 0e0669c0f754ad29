package integration

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/meshd/meshd/internal/child"
	"github.com/meshd/meshd/internal/kafkatest"
)

// node is one meshd process, or another program beside it.
type node struct {
	*child.Process
	name string
	says kafkatest.Journal
}

// start starts a program, and kills it with the test. Where the test fails, it shows what the program said last.
func start(t testing.TB, name string, env []string, path string, arguments ...string) *node {
	t.Helper()
	n := &node{name: name}
	cmd := exec.Command(path, arguments...)
	cmd.Stdout, cmd.Stderr = &n.says, &n.says
	cmd.Env = append(os.Environ(), env...)
	var err error
	if n.Process, err = child.Start(cmd); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	t.Cleanup(func() {
		n.Kill()
		if t.Failed() {
			t.Logf("node %s said last:\n%s", name, n.says.Tail(40))
		}
	})
	return n
}

func (n *node) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := n.Cmd.Process.Signal(sig); err != nil {
		t.Fatalf("sending %s to %s: %v", sig, n.name, err)
	}
}

// stop asks the node to end, and returns its exit code.
func (n *node) stop(t testing.TB) int {
	t.Helper()
	n.signal(t, syscall.SIGTERM)
	return n.exit(t)
}

// exit waits for the process to end and returns its exit code.
func (n *node) exit(t testing.TB) int {
	t.Helper()
	if !n.EndsWithin(patience) {
		t.Fatalf("%s still runs after %s; it said last:\n%s", n.name, patience, n.says.Tail(20))
	}
	return n.ProcessState.ExitCode()
}

// awaitSaid waits for a line that holds all words.
func (n *node) awaitSaid(t testing.TB, words ...string) string {
	t.Helper()
	var line string
	await(t, fmt.Sprintf("node %s to say %q", n.name, words), func() (string, bool) {
		line = n.said(words...)
		return "the log ends:\n" + n.says.Tail(10), line != ""
	})
	return line
}

// said returns the first line that holds all words; "" if there is none.
func (n *node) said(words ...string) string {
next:
	for line := range strings.Lines(n.says.String()) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue next
			}
		}
		return strings.TrimSpace(line)
	}
	return ""
}

// command runs meshd to its end.
func command(t testing.TB, arguments ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, arguments...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatalf("running meshd %s: %v", strings.Join(arguments, " "), err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
