package kafkatest

import (
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/meshd/meshd/internal/child"
)

// process is a broker's process, in a process group of its own.
type process struct {
	*child.Process
	pid int
}

// startProcess starts a command and becomes its owner.
func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p, err := child.Start(cmd)
	if err != nil {
		return nil, err
	}
	return &process{p, cmd.Process.Pid}, nil
}

// signal sends to the process and to whatever it started.
func (p *process) signal(sig syscall.Signal) error {
	if !p.Running() {
		return os.ErrProcessDone
	}
	return syscall.Kill(-p.pid, sig)
}

// end asks the process to end, waits for the grace, and then kills it.
func (p *process) end(grace time.Duration) {
	_ = p.signal(syscall.SIGTERM) // an error means that it has ended
	_ = p.signal(syscall.SIGCONT) // one that was stopped hears nothing
	if !p.EndsWithin(grace) {
		p.kill()
	}
}

func (p *process) kill() {
	_ = p.signal(syscall.SIGKILL)
	<-p.Done()
}
