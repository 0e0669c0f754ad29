package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// process is a child; what it says goes to a file.
type process struct {
	cmd     *exec.Cmd
	log     string
	started time.Time
	done    chan struct{} // closed when it has ended and was waited for
	peak    int64         // memory when usage was asked last
}

// launch starts a command that logs to a file of this name in a folder.
func launch(cmd *exec.Cmd, dir, name string) (*process, error) {
	p := &process{cmd: cmd, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, childAttributes()
	started := make(chan error)
	go p.own(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

// own starts the process and waits for it, on a thread that lives as long: on Linux a child ends with the thread that started it.
func (p *process) own(started chan<- error) {
	defer close(p.done)
	runtime.LockOSThread()
	p.started = time.Now()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// failed says whether the process ended by itself, and not well.
func (p *process) failed() error {
	if p.running() || p.cmd.ProcessState.Success() {
		return nil
	}
	return fmt.Errorf("%s ended: %s; it said last:\n%s", filepath.Base(p.cmd.Path), p.cmd.ProcessState, p.tail(15))
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
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	grace := time.NewTimer(30 * time.Second)
	defer grace.Stop()
	select {
	case <-p.done:
	case <-grace.C:
		p.kill()
	}
}

// kill is kill -9; it returns when the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended
	<-p.done
}
