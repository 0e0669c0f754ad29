package kafkatest

import "syscall"

// childAttributes gives a broker a process group of its own, and has the kernel kill it when this process ends in any way.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
