//go:build !linux

package kafkatest

import "syscall"

// childAttributes gives a broker a process group of its own.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
