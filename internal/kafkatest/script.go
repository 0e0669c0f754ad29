package kafkatest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// script returns the path of scripts/kafka.sh: tests run in the folder of their package, somewhere below the module's.
func script() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "scripts", "kafka.sh"), nil
		}
	}
	return "", errors.New("no go.mod above the working folder")
}

// runScript runs a command of scripts/kafka.sh to its end. What it says is part of the error.
func runScript(path string, arguments ...string) error {
	cmd := exec.Command(path, arguments...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running kafka.sh %s: %w\n%s", arguments[0], err, said.Bytes())
	}
	return nil
}
