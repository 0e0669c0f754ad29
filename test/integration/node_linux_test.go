package integration

import "syscall"

// childAttributes has the kernel end a node with the test, whatever ends that.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
