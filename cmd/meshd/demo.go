package main

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshd/meshd/demo"
)

const (
	minDemo = 10 * time.Second
	maxDemo = time.Hour
)

func newDemoCommand() *cobra.Command {
	var duration time.Duration
	var seed uint64
	naming := demo.Prefix
	cmd := &cobra.Command{
		Use: "demo", Short: "Show meshd at work on embedded clusters: a node and a datacenter die, and every record is counted",
		Example: "  meshd demo\n  meshd demo --duration 20s\n  meshd demo --naming identity",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if duration < minDemo || duration > maxDemo {
				return usageError{errors.New("--duration is " + minDemo.String() + " to " + maxDemo.String())}
			}
			out := cmd.OutOrStdout()
			return demo.Run(cmd.Context(), demo.Options{Out: out, Live: isTerminal(out), Duration: duration, Seed: seed, Naming: naming})
		},
	}
	cmd.Flags().DurationVar(&duration, "duration", time.Minute, "how long it takes, about")
	cmd.Flags().Var(&naming, "naming", "what copies are called: prefix, as us.orders; or identity, as the topic itself, to which all write")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "the same seed writes the same records")
	return cmd
}

// isTerminal says whether ANSI escapes make sense: a character device, and no word of the environment against it.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
