package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/spf13/cobra"
)

func demoCommand(args ...string) *cobra.Command {
	root := newRoot()
	root.SetArgs(append([]string{"demo"}, args...))
	root.SetOut(&bytes.Buffer{})
	root.SetErr(&bytes.Buffer{})
	return root
}

func TestDemoRefusesBadCalls(t *testing.T) {
	for _, args := range [][]string{{"--duration", "9s"}, {"--duration", "2h"}, {"--duration", "soon"}, {"--seed", "-1"}, {"--naming", "suffix"}, {"now"}} {
		if _, ok := errors.AsType[usageError](demoCommand(args...).ExecuteContext(t.Context())); !ok {
			t.Errorf("%s is not refused as a mistake in the call", args)
		}
	}
}

// Whoever stops the demo learns no verdict, and so no success.
func TestDemoStoppedIsNoSuccess(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := demoCommand().ExecuteContext(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestOnlyTerminalsAreDrawnOn(t *testing.T) {
	t.Setenv("TERM", "xterm")
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isTerminal(file) || isTerminal(&bytes.Buffer{}) {
		t.Error("a file is taken for a terminal")
	}
	device, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	if !isTerminal(device) {
		t.Error("a character device is not taken for a terminal")
	}
	t.Setenv("TERM", "dumb")
	if isTerminal(device) {
		t.Error("a dumb terminal is drawn on")
	}
}
