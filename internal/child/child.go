// Package child runs other programs for tests and benchmarks: brokers, nodes and whatever is measured beside them. It is owned by them
// alone, and a child never outlives who started it, as far as the kernel can see to that.
package child

import (
	"os/exec"
	"runtime"
	"time"
)

// Process is a child that was started.
type Process struct {
	*exec.Cmd
	Started time.Time
	done    chan struct{}
}

// Start starts a command. On Linux the kernel kills the child when this process ends in any way.
func Start(cmd *exec.Cmd) (*Process, error) {
	diesWithParent(cmd)
	p := &Process{Cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.own(started)
	return p, <-started
}

// own starts the process and waits for it, on a thread that lives as long: on Linux a child ends with the thread that started it.
func (p *Process) own(started chan<- error) {
	defer close(p.done)
	runtime.LockOSThread()
	p.Started = time.Now()
	err := p.Start()
	started <- err
	if err == nil {
		_ = p.Wait() // how it ended is in ProcessState
	}
}

// Running says whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Done is closed when the process has ended and was waited for.
func (p *Process) Done() <-chan struct{} { return p.done }

// EndsWithin waits for the process to end by itself, and says whether it did.
func (p *Process) EndsWithin(limit time.Duration) bool {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-p.done:
		return true
	case <-t.C:
		return false
	}
}

// Kill is kill -9; it returns when the process is gone.
func (p *Process) Kill() {
	_ = p.Process.Kill() // an error means that it has ended
	<-p.done
}
