package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
)

// binary is the meshd that all tests run.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "meshd-integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "meshd")
	build := exec.Command("go", "build", "-o", binary, "github.com/meshd/meshd/cmd/meshd")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building meshd: %v\n%s", err, out)
		return 1
	}
	return kafkatest.Main(m)
}

// parallel lets tests that have clusters of their own run beside each other. Real ones are too heavy for that, and shared.
func parallel(t *testing.T) {
	t.Helper()
	if !kafkatest.Real() {
		t.Parallel()
	}
}

// pick is the size of something on each backend.
func pick[T any](kfake, onReal T) T {
	if kafkatest.Real() {
		return onReal
	}
	return kfake
}
