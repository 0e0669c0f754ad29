package integration

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// node is one meshd process, or another program beside it.
type node struct {
	name string
	cmd  *exec.Cmd
	says journal
	done chan struct{} // closed when it has ended and was waited for
}

// journal keeps what a process writes.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// tail is the end of what was written.
func (j *journal) tail(lines int) string {
	all := strings.Split(strings.TrimSpace(j.String()), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// launch starts meshd.
func launch(t testing.TB, name string, env []string, arguments ...string) *node {
	t.Helper()
	return start(t, name, env, binary, arguments...)
}

// start starts a program, and kills it with the test. Where the test fails, it shows what the program said last.
func start(t testing.TB, name string, env []string, path string, arguments ...string) *node {
	t.Helper()
	n := &node{name: name, cmd: exec.Command(path, arguments...), done: make(chan struct{})}
	n.cmd.Stdout, n.cmd.Stderr = &n.says, &n.says
	n.cmd.Env = append(os.Environ(), env...)
	n.cmd.SysProcAttr = childAttributes()
	started := make(chan error)
	go n.own(started)
	if err := <-started; err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	t.Cleanup(func() {
		n.kill()
		if t.Failed() {
			t.Logf("node %s said last:\n%s", name, n.says.tail(40))
		}
	})
	return n
}

// own starts the process and waits for it, on a thread that lives as long: on Linux a child ends with the thread that started it.
func (n *node) own(started chan<- error) {
	defer close(n.done)
	runtime.LockOSThread()
	err := n.cmd.Start()
	started <- err
	if err == nil {
		_ = n.cmd.Wait() // how it ended is in ProcessState
	}
}

func (n *node) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := n.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("sending %s to %s: %v", sig, n.name, err)
	}
}

// kill is kill -9; it returns when the process is gone.
func (n *node) kill() {
	_ = n.cmd.Process.Kill() // an error means that it has ended
	<-n.done
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
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-n.done:
	case <-limit.C:
		t.Fatalf("%s still runs after %s; it said last:\n%s", n.name, patience, n.says.tail(20))
	}
	return n.cmd.ProcessState.ExitCode()
}

func (n *node) running() bool {
	select {
	case <-n.done:
		return false
	default:
		return true
	}
}

// awaitSaid waits for a line that holds all words.
func (n *node) awaitSaid(t testing.TB, words ...string) string {
	t.Helper()
	var line string
	await(t, fmt.Sprintf("node %s to say %q", n.name, words), func() (string, bool) {
		line = n.said(words...)
		return "the log ends:\n" + n.says.tail(10), line != ""
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
