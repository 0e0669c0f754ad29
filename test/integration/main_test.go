package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/meshd/meshd/internal/kafkatest"
	"github.com/meshd/meshd/internal/mutant"
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
	if err := mutant.Build(binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
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
