package kafkatest

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a broker's process, in a process group of its own.
type process struct {
	pid  int
	done chan struct{} // closed when it has ended and was waited for
}

// startProcess starts a command and becomes its owner.
func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = childAttributes()
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go p.own(cmd, started)
	return p, <-started
}

// own starts the process and waits for it. On Linux the kernel ends a child when the thread that started it ends; so that thread
// is kept for as long as the child lives.
func (p *process) own(cmd *exec.Cmd, started chan<- error) {
	defer close(p.done)
	runtime.LockOSThread()
	err := cmd.Start()
	if err != nil {
		started <- err
		return
	}
	p.pid = cmd.Process.Pid
	started <- nil
	_ = cmd.Wait() // how it ended is in its log
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// signal sends to the process and to whatever it started.
func (p *process) signal(sig syscall.Signal) error {
	if !p.running() {
		return os.ErrProcessDone
	}
	return syscall.Kill(-p.pid, sig)
}

// end asks the process to end, waits for the grace, and then kills it.
func (p *process) end(grace time.Duration) {
	_ = p.signal(syscall.SIGTERM) // an error means that it has ended
	_ = p.signal(syscall.SIGCONT) // one that was stopped hears nothing
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.kill()
	}
}

func (p *process) kill() {
	_ = p.signal(syscall.SIGKILL)
	<-p.done
}
