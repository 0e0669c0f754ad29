package chaos

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// disk is a small one, in memory, on which a broker has its data.
type disk struct {
	path string // "" where there is none
	why  error  // there is none
}

// newDisk puts a disk of its own under a folder with what the folder holds. Where mounting is not permitted there is none.
func newDisk(path string) disk {
	held, err := contents(path)
	if err != nil {
		return disk{why: err}
	}
	if err := syscall.Mount("meshd-chaos", path, "tmpfs", 0, "size=768m"); err != nil {
		return disk{why: os.NewSyscallError("mount", err)}
	}
	for name, content := range held {
		err = errors.Join(err, os.WriteFile(filepath.Join(path, name), content, 0o600))
	}
	d := disk{path: path, why: err}
	if err != nil {
		d.remove()
	}
	return d
}

// contents reads the files of a formatted data folder: there are a few, and small ones.
func contents(path string) (map[string][]byte, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	held := map[string][]byte{}
	for _, e := range entries {
		if held[e.Name()], err = os.ReadFile(filepath.Join(path, e.Name())); err != nil {
			return nil, err
		}
	}
	return held, nil
}

func (d disk) filler() string { return filepath.Join(d.path, "filler") }

// fill leaves no byte.
func (d disk) fill() error {
	f, err := os.Create(d.filler())
	if err != nil {
		return err
	}
	for block := make([]byte, 1<<20); err == nil; {
		_, err = f.Write(block)
	}
	_ = f.Close() // what could be written was
	if errors.Is(err, syscall.ENOSPC) {
		return nil
	}
	return err
}

func (d disk) empty() error { return os.Remove(d.filler()) }

// remove unmounts; the folder below is as it was.
func (d disk) remove() {
	if d.path != "" {
		_ = syscall.Unmount(d.path, syscall.MNT_DETACH) // it is gone with the machine at the latest
	}
}
