package main

import "syscall"

// childAttributes has the kernel end a child with this process, whatever ends that.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
