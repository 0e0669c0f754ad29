// Package mutant builds meshd with a piece of its code made wrong, so that a test can show that it would see that.
//
//	the module's file ──Old made New──▶ a copy elsewhere ──go build -overlay──▶ a binary
//
// Invariants: nothing of the module is changed; a mutation that does not fit the code any more is an error.
//
// It must never be imported by what is shipped.
package mutant

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Mutation is a piece of the code that is made wrong.
type Mutation struct {
	Name     string
	File     string // below the module's root
	Old, New string
}

// Text is the file with the mutation in it.
func (m Mutation) Text(root string) (string, error) {
	content, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(content), m.Old); n != 1 {
		return "", fmt.Errorf("%s: what is to be mutated stands %d times in %s, not once:\n%s", m.Name, n, m.File, m.Old)
	}
	return strings.Replace(string(content), m.Old, m.New, 1), nil
}

// Build builds meshd with the mutation into an empty folder, as `go help build` says of -overlay, and returns the binary's path.
func (m Mutation) Build(root, dir string) (path string, err error) {
	if root, err = filepath.Abs(root); err != nil {
		return "", err
	}
	text, err := m.Text(root)
	if err != nil {
		return "", err
	}
	mutant, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(mutant, []byte(text), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.File): mutant}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "meshd")
	return path, Build(path, "-overlay", overlay)
}

// Build builds meshd.
func Build(to string, flags ...string) error {
	arguments := append(append([]string{"build"}, flags...), "-o", to, "github.com/meshd/meshd/cmd/meshd")
	if out, err := exec.Command("go", arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("building meshd: %w\n%s", err, out)
	}
	return nil
}
