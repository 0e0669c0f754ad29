package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/meshd/meshd/internal/child"
)

// process is a child; what it says goes to a file.
type process struct {
	*child.Process
	log  string
	peak int64 // memory when usage was asked last
}

// launch starts a command that logs to a file of this name in a folder.
func launch(cmd *exec.Cmd, dir, name string) (*process, error) {
	log := filepath.Join(dir, name+".log")
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own
	cmd.Stdout, cmd.Stderr = out, out
	p, err := child.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return &process{Process: p, log: log}, nil
}

// failed says whether the process ended by itself, and not well.
func (p *process) failed() error {
	if p.Running() || p.ProcessState.Success() {
		return nil
	}
	return fmt.Errorf("%s ended: %s; it said last:\n%s", filepath.Base(p.Path), p.ProcessState, p.tail(15))
}

func (p *process) tail(lines int) string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// stop asks the process to end, and insists after a grace.
func (p *process) stop() {
	_ = p.Cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	if !p.EndsWithin(30 * time.Second) {
		p.Kill()
	}
}
