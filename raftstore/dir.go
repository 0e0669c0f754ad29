package raftstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Identity is whose a data directory is.
type Identity struct {
	Mesh       string `json:"mesh"`
	Datacenter string `json:"datacenter"`
	Node       string `json:"node"`
}

func (i Identity) String() string {
	return fmt.Sprintf("node %s of mesh %s in datacenter %s", i.Node, i.Mesh, i.Datacenter)
}

// Dir is a data directory that this process has to itself.
type Dir struct {
	path string
	id   Identity
	lock *os.File
}

// OpenDir makes the directory if there is none, locks it, and checks whose it is. The lock ends with Close or with the process.
func OpenDir(path string, id Identity) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	lock, err := lockDir(path, id)
	if err != nil {
		return nil, err
	}
	d := &Dir{path: path, id: id, lock: lock}
	if err := d.claim(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// lockDir takes the lock file, which also says who has it.
func lockDir(path string, id Identity) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data directory: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking the data directory %s: %w", path, err)
		}
		by, _ := os.ReadFile(file.Name()) // only for the message
		return nil, fmt.Errorf("the data directory %s is in use by another node (%s): stop that one, or give this one its own --data-dir",
			path, strings.TrimSpace(string(by)))
	}
	if err := file.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("locking the data directory: %w", err), file.Close())
	}
	if _, err := fmt.Fprintf(file, "%s, process %d\n", id, os.Getpid()); err != nil {
		return nil, errors.Join(fmt.Errorf("locking the data directory: %w", err), file.Close())
	}
	return file, nil
}

// claim writes whose the directory is, or checks it.
func (d *Dir) claim() error {
	raw, err := d.ReadFile("node.json")
	if errors.Is(err, fs.ErrNotExist) {
		if raw, err = json.Marshal(d.id); err != nil {
			return err
		}
		return d.WriteFile("node.json", raw)
	}
	if err != nil {
		return fmt.Errorf("reading the data directory: %w", err)
	}
	var owner Identity
	if err := json.Unmarshal(raw, &owner); err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Join(d.path, "node.json"), err)
	}
	if owner != d.id {
		return fmt.Errorf("the data directory %s belongs to %s; this is %s: give it its own --data-dir", d.path, owner, d.id)
	}
	return nil
}

// Path returns where the directory is.
func (d *Dir) Path() string { return d.path }

// ReadFile returns the content of a file in the directory.
func (d *Dir) ReadFile(name string) ([]byte, error) { return os.ReadFile(filepath.Join(d.path, name)) }

// WriteFile replaces a file in the directory. After a crash it holds the old or the new content, whole.
func (d *Dir) WriteFile(name string, content []byte) error {
	if err := d.replace(name, content); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Join(d.path, name), err)
	}
	return nil
}

func (d *Dir) replace(name string, content []byte) error {
	temporary, err := os.CreateTemp(d.path, name+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // gone already when all went well
	_, err = temporary.Write(content)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), filepath.Join(d.path, name)); err != nil {
		return err
	}
	parent, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// Close unlocks the directory.
func (d *Dir) Close() error { return d.lock.Close() }
