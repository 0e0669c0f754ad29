//go:build !linux

package chaos

import "errors"

// disk does not exist here: there is no tmpfs to mount.
type disk struct {
	path string
	why  error
}

func newDisk(string) disk   { return disk{why: errors.New("only on Linux")} }
func (d disk) fill() error  { return d.why }
func (d disk) empty() error { return d.why }
func (d disk) remove()      {}
