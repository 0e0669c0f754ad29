//go:build !linux

package integration

import "syscall"

// childAttributes leaves a node as it is: it ends with the test, unless that is killed or panics.
func childAttributes() *syscall.SysProcAttr { return nil }
